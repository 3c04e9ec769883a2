/* Service tokens: made once per pair of services and reused until half of their lifetime is over; each thread caches
 * verified ones, so that an HMAC is computed about once a minute for each pair. */
#include "auth/service_token.h"

#include <pthread.h>
#include <sodium.h>
#include <stdbool.h>
#include <stdio.h>
#include <string.h>

#include "auth/base64url.h"
#include "auth/keys.h"
#include "base/clock.h"

enum {
        LIFE_S = 60,
        RENEW_S = 30, /* remaining lifetime at which a token is renewed */
        MAX_NAME = 32,
        MAC_CHARS = BASE64URL_CHARS(crypto_auth_hmacsha256_BYTES),
        MAX_TOKEN = 2 * MAX_NAME + 20 + MAC_CHARS + 3,
        MADE_SLOTS = 256, /* more than there are pairs of services */
        VERIFIED_SLOTS = 16,
};

struct made {
        char caller[MAX_NAME + 1];
        char audience[MAX_NAME + 1];
        char token[MAX_TOKEN + 1];
        int64_t expires_s;
        uint64_t generation; /* of the key; 0: the slot is free */
};

static pthread_mutex_t made_lock = PTHREAD_MUTEX_INITIALIZER;
static struct made made[MADE_SLOTS];

struct verified {
        char token[MAX_TOKEN];
        size_t len;
        uint64_t generation;
};

static _Thread_local struct verified verified[VERIFIED_SLOTS];

/* The names of services must not contain the dot that separates the parts. */
static bool is_name(struct str name)
{
        for (size_t i = 0; i < name.len; i++) {
                char c = name.ptr[i];
                if (!((c >= 'a' && c <= 'z') || (c >= '0' && c <= '9') || c == '_' || c == '-')) {
                        return false;
                }
        }
        return name.len > 0 && name.len <= MAX_NAME;
}

static uint32_t hash_of(struct str text, uint32_t hash)
{
        for (size_t i = 0; i < text.len; i++) {
                hash = (hash ^ (uint8_t)text.ptr[i]) * 16777619u; /* FNV-1a: the names are our own */
        }
        return hash;
}

/* The MAC over "caller.audience.expiry". */
static void mac_of(struct str head, char out[MAC_CHARS + 1])
{
        uint8_t key[32], mac[crypto_auth_hmacsha256_BYTES];
        keys_derive("service-token", key);
        crypto_auth_hmacsha256(mac, (const uint8_t *)head.ptr, head.len, key);
        base64url_encode(mac, sizeof(mac), out);
        sodium_memzero(key, sizeof(key));
}

/* The slot of a pair: its own, or else the first free or expired one. */
static struct made *find_made(const char *caller, const char *audience)
{
        uint32_t first = hash_of(str_of(audience), hash_of(str_of(caller), 2166136261u));
        for (uint32_t i = 0; i < MADE_SLOTS; i++) {
                struct made *slot = &made[(first + i) % MADE_SLOTS];
                bool same = strcmp(slot->caller, caller) == 0 && strcmp(slot->audience, audience) == 0;
                if (same || slot->generation == 0) {
                        return slot;
                }
        }
        return &made[first % MADE_SLOTS];
}

static void make_token(struct made *slot, const char *caller, const char *audience, int64_t now_s)
{
        *slot = (struct made){.expires_s = now_s + LIFE_S, .generation = keys_generation()};
        snprintf(slot->caller, sizeof(slot->caller), "%s", caller);
        snprintf(slot->audience, sizeof(slot->audience), "%s", audience);
        int head =
            snprintf(slot->token, sizeof(slot->token), "%s.%s.%lld", caller, audience, (long long)slot->expires_s);
        char mac[MAC_CHARS + 1];
        mac_of((struct str){slot->token, (size_t)head}, mac);
        snprintf(slot->token + head, sizeof(slot->token) - (size_t)head, ".%s", mac);
}

const char *service_token_for(struct arena *arena, const char *caller, const char *audience)
{
        int64_t now_s = clock_wall_ms() / 1000;
        if (!is_name(str_of(caller)) || !is_name(str_of(audience))) {
                return ""; /* our own mistake: the callee rejects it */
        }
        pthread_mutex_lock(&made_lock);
        struct made *slot = find_made(caller, audience);
        bool usable = slot->generation != 0 && slot->generation == keys_generation() &&
                      strcmp(slot->caller, caller) == 0 && strcmp(slot->audience, audience) == 0 &&
                      slot->expires_s - now_s > RENEW_S && slot->expires_s - now_s <= LIFE_S;
        if (!usable) {
                make_token(slot, caller, audience, now_s);
        }
        char *token = arena_strdup(arena, slot->token);
        pthread_mutex_unlock(&made_lock);
        return token;
}

struct parts {
        struct str caller, audience, mac;
        struct str head; /* everything that the MAC covers */
        int64_t expires_s;
};

static bool split_token(struct str token, struct parts *out)
{
        struct str rest = token, expiry;
        if (token.len > MAX_TOKEN || !str_next(&rest, '.', &out->caller) || !str_next(&rest, '.', &out->audience) ||
            !str_next(&rest, '.', &expiry) || rest.len != MAC_CHARS || !is_name(out->caller) ||
            !is_name(out->audience)) {
                return false;
        }
        out->mac = rest;
        out->head = (struct str){token.ptr, (size_t)(rest.ptr - 1 - token.ptr)};
        return str_to_i64(expiry, &out->expires_s);
}

static bool is_remembered(const struct verified *slot, struct str token)
{
        return slot->generation != 0 && slot->generation == keys_generation() && slot->len == token.len &&
               sodium_memcmp(slot->token, token.ptr, token.len) == 0;
}

static bool is_genuine(const struct parts *parts, struct str token)
{
        struct verified *slot = &verified[hash_of(parts->caller, 2166136261u) % VERIFIED_SLOTS];
        if (is_remembered(slot, token)) {
                return true;
        }
        char mac[MAC_CHARS + 1];
        mac_of(parts->head, mac);
        if (sodium_memcmp(mac, parts->mac.ptr, MAC_CHARS) != 0) {
                return false;
        }
        memcpy(slot->token, token.ptr, token.len);
        slot->len = token.len;
        slot->generation = keys_generation();
        return true;
}

sn_status service_token_verify(struct rpc_call *c, struct str token, const char *audience, const char **caller)
{
        struct parts parts;
        int64_t now_s = clock_wall_ms() / 1000;
        *caller = "";
        if (!split_token(token, &parts) || !is_genuine(&parts, token)) {
                return rpc_fail_code(c, SN_UNAUTHENTICATED, "service_token_invalid", NULL,
                                     "the service token is invalid");
        }
        if (parts.expires_s <= now_s) {
                return rpc_fail_code(c, SN_UNAUTHENTICATED, "service_token_expired", NULL,
                                     "the service token has expired; check the clocks of both machines");
        }
        if (!str_equal_c(parts.audience, audience)) {
                return rpc_fail_code(c, SN_UNAUTHENTICATED, "service_token_audience", NULL,
                                     "the service token is for another service");
        }
        *caller = str_dup(c->arena, parts.caller);
        return SN_OK;
}
