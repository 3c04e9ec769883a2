/* jti is 8 random bytes and a keyed BLAKE2b over what stands before it and over them. */
#include "auth/token_mark.h"

#include <sodium.h>
#include <string.h>

#include "auth/base64url.h"
#include "auth/keys.h"
#include "base/clock.h"

enum {
        NONCE_BYTES = 8,
        MAC_BYTES = 16,
        MARK_BYTES = NONCE_BYTES + MAC_BYTES,
        MARK_CHARS = BASE64URL_CHARS(MARK_BYTES),
};
_Static_assert(TOKEN_MARK_SIZE == MARK_CHARS + 1, "TOKEN_MARK_SIZE");

#define NAME    ",\"jti\":\""
#define CLOSING "\"}"

static void mac_of(struct str claims, const uint8_t nonce[NONCE_BYTES], uint8_t out[MAC_BYTES])
{
        uint8_t key[32];
        crypto_generichash_state hash;
        keys_derive("access-token-mark", key);
        crypto_generichash_init(&hash, key, sizeof(key), MAC_BYTES);
        crypto_generichash_update(&hash, nonce, NONCE_BYTES);
        crypto_generichash_update(&hash, (const uint8_t *)claims.ptr, claims.len);
        crypto_generichash_final(&hash, out, MAC_BYTES);
        sodium_memzero(key, sizeof(key));
}

char *token_add_mark(struct arena *arena, const char *payload)
{
        uint8_t mark[MARK_BYTES];
        char text[TOKEN_MARK_SIZE];
        struct str claims = {payload, strlen(payload) - 1}; /* without its closing brace */
        random_bytes(mark, NONCE_BYTES);
        mac_of(claims, mark, mark + NONCE_BYTES);
        return arena_printf(arena, "%.*s" NAME "%s" CLOSING, (int)claims.len, claims.ptr,
                            base64url_encode(mark, sizeof(mark), text));
}

static bool is_genuine(struct str claims, struct str text)
{
        uint8_t mark[MARK_BYTES], mac[MAC_BYTES];
        size_t len = 0;
        if (!base64url_decode(text, mark, sizeof(mark), &len) || len != sizeof(mark)) {
                return false;
        }
        mac_of(claims, mark, mac);
        return sodium_memcmp(mac, mark + NONCE_BYTES, MAC_BYTES) == 0;
}

bool token_read_mark(struct str payload, char mark[TOKEN_MARK_SIZE])
{
        enum { NAME_LEN = sizeof(NAME) - 1, CLOSING_LEN = sizeof(CLOSING) - 1 };
        if (payload.len < NAME_LEN + MARK_CHARS + CLOSING_LEN) {
                return false;
        }
        struct str claims = {payload.ptr, payload.len - NAME_LEN - MARK_CHARS - CLOSING_LEN};
        struct str text = {claims.ptr + claims.len + NAME_LEN, MARK_CHARS};
        if (memcmp(text.ptr - NAME_LEN, NAME, NAME_LEN) != 0 ||
            memcmp(text.ptr + text.len, CLOSING, CLOSING_LEN) != 0 || !is_genuine(claims, text)) {
                return false;
        }
        memcpy(mark, text.ptr, text.len);
        mark[text.len] = '\0';
        return true;
}
