/* Owns the format of device tokens. */
#include "services/user/device_token.h"

#include <sodium.h>
#include <string.h>
#include "auth/base64url.h"
#include "auth/keys.h"

struct __attribute__((packed)) wire {
        uint8_t device[16];
        uint8_t user[16];
        uint8_t mac[32];
};

static void make_mac(const struct wire *w, uint8_t mac[32])
{
        crypto_auth_hmacsha256_state state;
        uint8_t key[32];

        keys_derive("device-token", key);
        crypto_auth_hmacsha256_init(&state, key, sizeof(key));
        crypto_auth_hmacsha256_update(&state, w->device, sizeof(w->device));
        crypto_auth_hmacsha256_update(&state, w->user, sizeof(w->user));
        crypto_auth_hmacsha256_final(&state, mac);
        sodium_memzero(key, sizeof(key));
}

char *device_token_make(struct arena *arena, const char *user_id, const char *device_id)
{
        char *text = arena_alloc(arena, BASE64URL_CHARS(sizeof(struct wire)) + 1);
        struct wire w;

        uuid_to_bytes(device_id, w.device);
        uuid_to_bytes(user_id, w.user);
        make_mac(&w, w.mac);
        return base64url_encode(&w, sizeof(w), text);
}

bool device_token_read(const char *text, const char *user_id, char device_id[UUID_SIZE])
{
        uint8_t mac[32], user[16];
        struct wire w;
        size_t len = 0;

        if (!base64url_decode(str_of(text), &w, sizeof(w), &len) || len != sizeof(w) || !uuid_to_bytes(user_id, user)) {
                return false;
        }
        make_mac(&w, mac);
        if (sodium_memcmp(mac, w.mac, sizeof(mac)) != 0 || memcmp(user, w.user, sizeof(user)) != 0) {
                return false;
        }
        uuid_from_bytes(w.device, device_id);
        return true;
}
