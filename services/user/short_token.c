/* Owns the format of short tokens. */
#include "services/user/short_token.h"

#include <sodium.h>
#include <string.h>
#include "auth/base64url.h"
#include "auth/keys.h"

struct __attribute__((packed)) wire {
        uint8_t id[16];
        uint8_t user[16];
        uint8_t device[16];
        uint8_t epoch[8];
        uint8_t expires[8];
        uint8_t mac[32];
};

static void make_mac(const struct wire *w, const char *purpose, uint8_t mac[32])
{
        uint8_t key[32];

        keys_derive(purpose, key);
        crypto_auth_hmacsha256(mac, (const uint8_t *)w, offsetof(struct wire, mac), key);
        sodium_memzero(key, sizeof(key));
}

static void put_number(uint8_t out[8], int64_t number)
{
        for (int i = 0; i < 8; i++) {
                out[i] = (uint8_t)((uint64_t)number >> (56 - 8 * i));
        }
}

static int64_t get_number(const uint8_t in[8])
{
        uint64_t number = 0;

        for (int i = 0; i < 8; i++) {
                number = number << 8 | in[i];
        }
        return (int64_t)number;
}

/* "" becomes zero, which is not a valid ID. */
static void put_id(uint8_t out[16], const char *id)
{
        if (id[0] != '\0') {
                uuid_to_bytes(id, out);
        }
}

static void get_id(const uint8_t in[16], char id[UUID_SIZE])
{
        if (sodium_is_zero(in, 16)) {
                id[0] = '\0';
        } else {
                uuid_from_bytes(in, id);
        }
}

char *short_token_make(struct arena *arena, const char *purpose, int64_t now_ms, struct short_token *token)
{
        char *text = arena_alloc(arena, BASE64URL_CHARS(sizeof(struct wire)) + 1);
        struct wire w = {0};

        uuid_new(token->id);
        token->expires_s = now_ms / 1000 + SHORT_TOKEN_LIFE_S;
        put_id(w.id, token->id);
        put_id(w.user, token->user);
        put_id(w.device, token->device);
        put_number(w.epoch, token->epoch);
        put_number(w.expires, token->expires_s);
        make_mac(&w, purpose, w.mac);
        return base64url_encode(&w, sizeof(w), text);
}

bool short_token_read(const char *text, const char *purpose, int64_t now_ms, struct short_token *token)
{
        uint8_t mac[32];
        struct wire w;
        size_t len = 0;

        if (!base64url_decode(str_of(text), &w, sizeof(w), &len) || len != sizeof(w)) {
                return false;
        }
        make_mac(&w, purpose, mac);
        if (sodium_memcmp(mac, w.mac, sizeof(mac)) != 0) {
                return false;
        }
        get_id(w.id, token->id);
        get_id(w.user, token->user);
        get_id(w.device, token->device);
        token->epoch = get_number(w.epoch);
        token->expires_s = get_number(w.expires);
        return now_ms / 1000 < token->expires_s;
}
