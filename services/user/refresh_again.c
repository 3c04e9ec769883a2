/* Owns client keys, and encrypting a session's last access token. */
#include "services/user/refresh_again.h"

#include <sodium.h>
#include <string.h>
#include "auth/base64url.h"
#include "auth/keys.h"
#include "base/clock.h"

#define KEY_BYTES 32

/* Deriving it needs both the key file and the database. */
static void derive(const char *label, const struct session *session, uint32_t generation, uint8_t out[KEY_BYTES])
{
        const uint8_t number[] = {(uint8_t)(generation >> 24), (uint8_t)(generation >> 16), (uint8_t)(generation >> 8),
                                  (uint8_t)generation};
        crypto_auth_hmacsha256_state state;
        uint8_t key[KEY_BYTES];

        keys_derive(label, key);
        crypto_auth_hmacsha256_init(&state, key, sizeof(key));
        crypto_auth_hmacsha256_update(&state, session->salt, sizeof(session->salt));
        crypto_auth_hmacsha256_update(&state, (const uint8_t *)session->id, UUID_SIZE - 1);
        crypto_auth_hmacsha256_update(&state, number, sizeof(number));
        crypto_auth_hmacsha256_final(&state, out);
        sodium_memzero(key, sizeof(key));
}

char *client_key_make(struct arena *arena, const struct session *session)
{
        uint8_t mac[KEY_BYTES];

        derive("client-key", session, 0, mac);
        return base64url_encode(mac, sizeof(mac), arena_alloc(arena, BASE64URL_CHARS(sizeof(mac)) + 1));
}

bool client_key_is(const char *text, const struct session *session)
{
        uint8_t given[KEY_BYTES], mac[KEY_BYTES];
        size_t len = 0;

        derive("client-key", session, 0, mac);
        return base64url_decode(str_of(text), given, sizeof(given), &len) && len == sizeof(given) &&
               sodium_memcmp(given, mac, sizeof(mac)) == 0;
}

uint8_t *refresh_again_seal(struct arena *arena, const struct session *session, uint32_t generation, const char *token,
                            size_t *len)
{
        size_t token_len = strlen(token);
        uint8_t key[KEY_BYTES];

        *len = crypto_secretbox_NONCEBYTES + crypto_secretbox_MACBYTES + token_len;
        uint8_t *sealed = arena_alloc(arena, *len);

        derive("refresh-again", session, generation, key);
        random_bytes(sealed, crypto_secretbox_NONCEBYTES);
        (void)crypto_secretbox_easy(sealed + crypto_secretbox_NONCEBYTES, (const uint8_t *)token, token_len, sealed,
                                    key);
        sodium_memzero(key, sizeof(key));
        return sealed;
}

char *refresh_again_open(struct arena *arena, const struct session *session, uint32_t generation, const uint8_t *sealed,
                         size_t len)
{
        const size_t over = crypto_secretbox_NONCEBYTES + crypto_secretbox_MACBYTES;
        uint8_t key[KEY_BYTES];

        if (len < over) {
                return NULL;
        }
        char *token = arena_alloc(arena, len - over + 1);

        derive("refresh-again", session, generation, key);
        bool good = crypto_secretbox_open_easy((uint8_t *)token, sealed + crypto_secretbox_NONCEBYTES,
                                               len - crypto_secretbox_NONCEBYTES, sealed, key) == 0;

        sodium_memzero(key, sizeof(key));
        token[len - over] = '\0';
        return good ? token : NULL;
}
