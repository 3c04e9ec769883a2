/* Keys as JWK (RFC 7517, 7518 6.2). Only the point of a foreign key is used: no x5u, no jku, no algorithm. */
#include "auth/token_keys.h"

#include <jansson.h>
#include <openssl/sha.h>
#include <pthread.h>
#include <sodium.h>
#include <stdatomic.h>
#include <stdio.h>
#include <string.h>

#include "auth/base64url.h"
#include "auth/es256.h"

enum {
        MAX_KEYS = 16,
        COORDINATE_SIZE = BASE64URL_CHARS(ES256_NUMBER_BYTES) + 1,
};

/* Append-only: readers need no lock for the first n_keys. */
static struct token_key keys[MAX_KEYS];
static _Atomic size_t n_keys;
static pthread_mutex_t writers = PTHREAD_MUTEX_INITIALIZER;

static _Atomic(const struct token_key *) signer;
static char signer_jwks[512] = "{\"keys\":[]}";

static void json_decref_p(json_t **json)
{
        json_decref(*json);
}

static void wipe_point_p(struct es256_point *point)
{
        sodium_memzero(point, sizeof(*point));
}

const struct token_key *token_key_find(const char *kid)
{
        size_t n = atomic_load_explicit(&n_keys, memory_order_acquire);
        for (size_t i = 0; i < n; i++) {
                if (strcmp(keys[i].kid, kid) == 0) {
                        return &keys[i];
                }
        }
        return NULL;
}

const struct token_key *token_key_signer(void)
{
        return atomic_load_explicit(&signer, memory_order_acquire);
}

bool token_has_keys(void)
{
        return atomic_load(&n_keys) > 0;
}

const char *token_jwks(void)
{
        return signer_jwks;
}

/* With the writers' lock held: adds the key unless it is there. True if it was added. */
static bool insert_key(const struct token_key *key, const struct token_key **trusted)
{
        size_t n = atomic_load(&n_keys);
        const struct token_key *known = token_key_find(key->kid);
        if (known != NULL && (known->signs || !key->signs)) {
                *trusted = known;
                return false;
        }
        if (n == MAX_KEYS) {
                *trusted = NULL;
                return false;
        }
        keys[n] = *key; /* a signer known before by its public key has two entries, which is harmless */
        *trusted = &keys[n];
        atomic_store_explicit(&n_keys, n + 1, memory_order_release);
        return true;
}

/* RFC 7638: the SHA-256 of the members that make up the key, in canonical form. */
static void write_thumbprint(const struct es256_point *point, char out[TOKEN_KID_SIZE])
{
        char x[COORDINATE_SIZE], y[COORDINATE_SIZE], canonical[160];
        uint8_t hash[SHA256_DIGEST_LENGTH];
        int len =
            snprintf(canonical, sizeof(canonical), "{\"crv\":\"P-256\",\"kty\":\"EC\",\"x\":\"%s\",\"y\":\"%s\"}",
                     base64url_encode(point->x, sizeof(point->x), x), base64url_encode(point->y, sizeof(point->y), y));
        SHA256((const uint8_t *)canonical, (size_t)len, hash);
        base64url_encode(hash, sizeof(hash), out);
}

/* Trusts a point; returns its key, or the known one. kid (may be NULL) must be its thumbprint. */
static sn_status trust_key(const struct es256_point *point, bool signs, const char *kid,
                           const struct token_key **trusted)
{
        struct token_key key = {.signs = signs};
        write_thumbprint(point, key.kid);
        if (kid != NULL && strcmp(kid, key.kid) != 0) {
                return SN_INVALID_ARGUMENT;
        }
        key.key = es256_key(point->x, point->y, signs ? point->d : NULL);
        if (key.key == NULL) {
                return SN_INVALID_ARGUMENT;
        }
        pthread_mutex_lock(&writers);
        bool inserted = insert_key(&key, trusted);
        pthread_mutex_unlock(&writers);
        if (!inserted) {
                EVP_PKEY_free(key.key);
        }
        return *trusted != NULL ? SN_OK : SN_RESOURCE_EXHAUSTED;
}

sn_status token_signer_setup(void)
{
        CLEANUP(wipe_point_p) struct es256_point point;
        const struct token_key *key;
        char x[COORDINATE_SIZE], y[COORDINATE_SIZE];
        if (!es256_derive("access-token-es256", &point)) {
                return SN_INTERNAL;
        }
        TRY(trust_key(&point, true, NULL, &key));
        snprintf(signer_jwks, sizeof(signer_jwks),
                 "{\"keys\":[{\"kty\":\"EC\",\"crv\":\"P-256\",\"x\":\"%s\",\"y\":\"%s\",\"use\":\"sig\",\"alg\":"
                 "\"ES256\",\"kid\":\"%s\"}]}",
                 base64url_encode(point.x, sizeof(point.x), x), base64url_encode(point.y, sizeof(point.y), y),
                 key->kid);
        atomic_store_explicit(&signer, key, memory_order_release);
        return SN_OK;
}

static bool member_is(const json_t *object, const char *name, const char *expected, bool required)
{
        const json_t *value = json_object_get(object, name);
        const char *text = json_string_value(value);
        return value == NULL ? !required : text != NULL && strcmp(text, expected) == 0;
}

static bool get_coordinate(const json_t *json, const char *name, uint8_t out[ES256_NUMBER_BYTES])
{
        const char *text = json_string_value(json_object_get(json, name));
        size_t len = 0;
        return text != NULL && base64url_decode(str_of(text), out, ES256_NUMBER_BYTES, &len) &&
               len == ES256_NUMBER_BYTES;
}

/* Whether a member of a JWKS is a public key for our tokens. A private key is rejected, since it has been disclosed. */
static bool read_point(const json_t *json, struct es256_point *out)
{
        return member_is(json, "kty", "EC", true) && member_is(json, "crv", "P-256", true) &&
               member_is(json, "use", "sig", false) && member_is(json, "alg", "ES256", false) &&
               json_object_get(json, "d") == NULL && get_coordinate(json, "x", out->x) &&
               get_coordinate(json, "y", out->y);
}

sn_status token_trust_jwks(const char *jwks)
{
        CLEANUP(json_decref_p) json_t *root = json_loads(jwks, JSON_REJECT_DUPLICATES, NULL);
        const json_t *list = json_object_get(root, "keys");
        sn_status status = SN_INVALID_ARGUMENT;
        size_t usable = 0;
        for (size_t i = 0; i < json_array_size(list); i++) {
                const json_t *json = json_array_get(list, i);
                struct es256_point point = {0};
                const struct token_key *key;
                if (!read_point(json, &point)) {
                        continue; /* of another kind: RFC 7517, 5 */
                }
                status = trust_key(&point, false, json_string_value(json_object_get(json, "kid")), &key);
                usable += status == SN_OK;
        }
        return usable > 0 ? SN_OK : status;
}
