/* Owns creating and comparing entity tags (RFC 9110, 8.8.3 and 13.1.2). */
#include "gateway/etag.h"

#include <sodium.h>

/* SipHash-2-4 of 128 bits; the key need not be secret. */
const char *etag_of(struct arena *arena, const struct buf *body, enum coding coding)
{
        static const unsigned char key[crypto_shorthash_siphashx24_KEYBYTES] = "sonet etag";
        unsigned char hash[crypto_shorthash_siphashx24_BYTES];
        char text[2 * sizeof(hash) + 1];

        crypto_shorthash_siphashx24(hash, (const unsigned char *)body->data, body->len, key);
        sodium_bin2hex(text, sizeof(text), hash, sizeof(hash));
        return arena_printf(arena, "\"%s%s%s\"", text, coding != CODING_IDENTITY ? "-" : "", coding_name(coding));
}

static bool matches(const char *if_none_match, const char *etag)
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

void etag_set(const struct http_request *r, struct http_response *response, const char *etag)
{
        const char *if_none_match = http_request_header(r, "If-None-Match");

        http_response_header(response, "ETag", etag);
        if (if_none_match != NULL && matches(if_none_match, etag)) {
                response->status = 304;
                buf_reset(&response->body);
        }
}
