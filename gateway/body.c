/* Owns the decisions on request bodies. */
#include "gateway/body.h"

#include <string.h>
#include <strings.h>

bool body_is_json(const struct http_request *r)
{
        struct str rest = str_of(http_request_header(r, "Content-Type")), type;

        return str_next(&rest, ';', &type) && str_equal_nocase(str_trim(type), STR("application/json"));
}

bool body_is_encoded(const struct http_request *r)
{
        for (size_t i = 0; i < r->n_headers; i++) {
                struct str rest = str_of(r->headers[i].value), one;

                while (strcasecmp(r->headers[i].name, "Content-Encoding") == 0 && str_next(&rest, ',', &one)) {
                        one = str_trim(one);
                        if (one.len > 0 && !str_equal_nocase(one, STR("identity"))) {
                                return true;
                        }
                }
        }
        return false;
}

bool body_is_nothing(struct str body)
{
        char found[2];
        size_t n = 0;

        for (size_t i = 0; i < body.len; i++) {
                if (memchr(" \t\r\n", body.ptr[i], 4) == NULL) { /* RFC 8259, 2 */
                        if (n == sizeof(found)) {
                                return false;
                        }
                        found[n++] = body.ptr[i];
                }
        }
        return n == 0 || (n == 2 && memcmp(found, "{}", 2) == 0);
}
