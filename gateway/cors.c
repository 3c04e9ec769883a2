/* Owns the decision on origins. */
#include "gateway/cors.h"

#include <string.h>

#define USUAL_HEADERS "Authorization, Content-Type, Idempotency-Key, If-None-Match, X-Request-Id, Traceparent"
/* RFC 9110, 5.6.2 */
#define TOKEN_CHARACTERS "!#$%&'*+-.^_`|~0123456789ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz"

static bool listed(const char *origins, const char *origin)
{
        struct str rest = str_of(origins), one;

        while (str_next(&rest, ',', &one)) {
                if (str_equal_nocase(str_trim(one), str_of(origin))) {
                        return true;
                }
        }
        return false;
}

void cors_headers(const char *origins, const char *exposed, const struct http_request *r,
                  struct http_response *response)
{
        const char *origin = http_request_header(r, "Origin");
        bool all = strcmp(origins, "*") == 0;

        if (!all && strcmp(origins, "none") != 0) { /* otherwise a cache could serve one origin's response to another */
                http_response_header(response, "Vary", "Origin");
        }
        if (origin == NULL || (!all && !listed(origins, origin))) {
                return;
        }
        http_response_header(response, "Access-Control-Allow-Origin", all ? "*" : origin);
        http_response_header(response, "Access-Control-Expose-Headers", exposed);
}

/* Allows whatever headers the page asks for, which is safe: no header gives a page rights that it does not have,
 * since it sets the token itself. Tracing libraries add their own (traceparent, baggage, sentry-trace, b3), and "*"
 * would exclude Authorization. */
static const char *allowed_headers(const struct http_request *r)
{
        const char *asked = http_request_header(r, "Access-Control-Request-Headers");

        return asked != NULL && asked[strspn(asked, TOKEN_CHARACTERS ", ")] == '\0' ? asked : USUAL_HEADERS;
}

void cors_options(const struct http_request *r, const char *allow, struct http_response *response)
{
        response->status = 204;
        http_response_header(response, "Allow", allow);
        if (http_request_header(r, "Access-Control-Request-Method") != NULL) {
                http_response_header(response, "Access-Control-Allow-Methods", allow);
                http_response_header(response, "Access-Control-Allow-Headers", allowed_headers(r));
                http_response_header(response, "Access-Control-Max-Age", "86400");
        }
}
