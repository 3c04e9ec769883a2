/* Owns creating and comparing entity tags (RFC 9110, 8.8.3 and 13.1.2). */
#include "gateway/etag.h"

#include <inttypes.h>
#include <xxhash.h>

/* XXH3 of 128 bits: a response that was chosen so that its tag is that of another one could only be taken for that by
 * the client that asked for both. */
const char *etag_of(struct arena *arena, const struct buf *body, enum coding coding)
{
        XXH128_hash_t hash = XXH3_128bits(body->data, body->len);

        return arena_printf(arena, "\"%016" PRIx64 "%016" PRIx64 "%s%s\"", hash.high64, hash.low64,
                            coding != CODING_IDENTITY ? "-" : "", coding_name(coding));
}

static bool etag_matches(const char *if_none_match, const char *etag)
{
        struct str rest = str_of(if_none_match), one;

        while (str_next(&rest, ',', &one)) {
                one = str_trim(one);
                if (str_starts(one, STR("W/"))) {
                        one = (struct str){one.ptr + 2, one.len - 2};
                }
                if (str_equal_c(one, etag) || str_equal_c(one, "*")) {
                        return true;
                }
        }
        return false;
}

bool etag_is_known(const struct http_request *r, const char *etag)
{
        const char *if_none_match = http_request_header(r, "If-None-Match");

        return if_none_match != NULL && etag_matches(if_none_match, etag);
}

void etag_set(const struct http_request *r, struct http_response *response, const char *etag)
{
        http_response_header(response, "ETag", etag);
        if (etag_is_known(r, etag)) {
                response->status = 304;
                buf_reset(&response->body);
        }
}
