/* Trailers (RFC 9110, 6.5): those that the owner wants are kept, all others are dropped, since requests are decided
 * on by their head. */
#include "http/internal.h"

#include <strings.h>

enum { TRAILERS_BYTES_MAX = 16 << 10 }; /* also enforced by the chunk decoder */

static bool is_wanted(const struct http_request *r, struct str name)
{
        for (const char *const *wanted = r->wanted_trailers; wanted != NULL && *wanted != NULL; wanted++) {
                if (str_equal_nocase(name, str_of(*wanted))) {
                        return true;
                }
        }
        return false;
}

void http_trailers_add(struct http_exchange *x, struct str name, struct str value)
{
        struct http_request *r = &x->request;
        if (r->n_trailers == HTTP_MAX_TRAILERS || !is_wanted(r, name)) {
                return;
        }
        if (x->trailer_fields == NULL) {
                x->trailer_fields = ARENA_ARRAY(r->arena, struct http_header, HTTP_MAX_TRAILERS);
                r->trailers = x->trailer_fields;
        }
        x->trailer_fields[r->n_trailers++] = (struct http_header){str_dup(r->arena, name), str_dup(r->arena, value)};
}

void http_trailers_begin(struct http_exchange *x)
{
        if (x->chunked && x->request.wanted_trailers != NULL) {
                buf_init(&x->trailers, TRAILERS_BYTES_MAX);
                x->decoder.trailers = &x->trailers;
        }
}

/* Lines validated by the decoder; the last one may be the "\r" of the empty line. */
void http_trailers_end(struct http_exchange *x)
{
        struct str rest = {x->trailers.data, x->trailers.len}, line, name;
        while (rest.len > 0 && str_next(&rest, '\n', &line)) {
                struct str value = {line.ptr, line.len > 0 ? line.len - 1 : 0}; /* without the "\r" */
                if (str_next(&value, ':', &name)) {
                        http_trailers_add(x, name, str_trim(value));
                }
        }
        buf_free(&x->trailers);
}
