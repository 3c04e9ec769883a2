/* Owns entity tags: how they are made and compared (RFC 9110, 8.8.3 and 13.1.2). */
#include "gateway/etag.h"

#include <sodium.h>

/* Strong: the bytes decide. SipHash-2-4 of 128 bits; the key need not be secret. */
static const char *etag_of(struct arena *arena, const struct buf *body)
{
        static const unsigned char key[crypto_shorthash_siphashx24_KEYBYTES] = "sonet etag";
        unsigned char hash[crypto_shorthash_siphashx24_BYTES];
        char *text = arena_alloc(arena, 2 * sizeof(hash) + 3);

        crypto_shorthash_siphashx24(hash, (const unsigned char *)body->data, body->len, key);
        sodium_bin2hex(text + 1, 2 * sizeof(hash) + 1, hash, sizeof(hash));
        text[0] = text[2 * sizeof(hash) + 1] = '"';
        return text;
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

void etag_add(const struct http_request *r, struct http_response *response)
{
        etag_set(r, response, etag_of(r->arena, &response->body));
}
