/* Owns the format of refresh tokens. */
#include "services/user/refresh_token.h"

#include <sodium.h>
#include <string.h>
#include "auth/base64url.h"
#include "auth/keys.h"

struct __attribute__((packed)) wire {
        uint8_t session[16];
        uint8_t generation[4];
        uint8_t mac[32];
};

static void make_mac(const struct wire *w, const uint8_t salt[REFRESH_SALT_BYTES], uint8_t mac[32])
{
        crypto_auth_hmacsha256_state state;
        uint8_t key[32];

        keys_derive("refresh-token", key);
        crypto_auth_hmacsha256_init(&state, key, sizeof(key));
        crypto_auth_hmacsha256_update(&state, salt, REFRESH_SALT_BYTES);
        crypto_auth_hmacsha256_update(&state, w->session, sizeof(w->session));
        crypto_auth_hmacsha256_update(&state, w->generation, sizeof(w->generation));
        crypto_auth_hmacsha256_final(&state, mac);
        sodium_memzero(key, sizeof(key));
}

static void fill(const char *session, uint32_t generation, struct wire *w)
{
        uuid_to_bytes(session, w->session);
        for (int i = 0; i < 4; i++) {
                w->generation[i] = (uint8_t)(generation >> (24 - 8 * i));
        }
}

char *refresh_token_make(struct arena *arena, const char *session, uint32_t generation,
                         const uint8_t salt[REFRESH_SALT_BYTES])
{
        char *text = arena_alloc(arena, BASE64URL_CHARS(sizeof(struct wire)) + 1);
        struct wire w;

        fill(session, generation, &w);
        make_mac(&w, salt, w.mac);
        return base64url_encode(&w, sizeof(w), text);
}

bool refresh_token_parse(const char *text, struct refresh_token *out)
{
        struct wire w;
        size_t len = 0;

        if (!base64url_decode(str_of(text), &w, sizeof(w), &len) || len != sizeof(w)) {
                return false;
        }
        uuid_from_bytes(w.session, out->session);
        out->generation = 0;
        for (int i = 0; i < 4; i++) {
                out->generation = out->generation << 8 | w.generation[i];
        }
        memcpy(out->mac, w.mac, sizeof(out->mac));
        return true;
}

bool refresh_token_issued(const struct refresh_token *token, const uint8_t *salt, size_t salt_len)
{
        uint8_t mac[32];
        struct wire w;

        if (salt_len != REFRESH_SALT_BYTES) {
                return false;
        }
        fill(token->session, token->generation, &w);
        make_mac(&w, salt, mac);
        return sodium_memcmp(mac, token->mac, sizeof(mac)) == 0;
}
