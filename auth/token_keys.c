/* Keys as JWK (RFC 7517, 7518 6.2). Nothing of a foreign key is taken over but its point: no x5u, no jku, no algorithm.
 */
#include "auth/token_keys.h"

#include <jansson.h>
#include <openssl/bn.h>
#include <openssl/ec.h>
#include <openssl/obj_mac.h>
#include <pthread.h>
#include <sodium.h>
#include <stdatomic.h>
#include <stdio.h>
#include <string.h>

#include "auth/base64url.h"
#include "auth/keys.h"

enum {
        MAX_KEYS = 16,
        COORDINATE_BYTES = 32,
        COORDINATE_SIZE = BASE64URL_CHARS(COORDINATE_BYTES) + 1,
};

/* Only ever grows: a reader needs no lock for the first n_keys. */
static struct token_key keys[MAX_KEYS];
static _Atomic size_t n_keys;
static pthread_mutex_t writers = PTHREAD_MUTEX_INITIALIZER;

static _Atomic(const struct token_key *) signer;
static char signer_jwks[512] = "{\"keys\":[]}";

/* A point of P-256, and its scalar where it is ours, as JWK spells them. */
struct point {
        char x[COORDINATE_SIZE], y[COORDINATE_SIZE], d[COORDINATE_SIZE];
};

static void json_decref_p(json_t **json)
{
        json_decref(*json);
}

static void wipe_point_p(struct point *point)
{
        sodium_memzero(point, sizeof(*point));
}

/* The JWK of a point; private when secret. NULL when it is not on the curve, or memory is out. */
static jwk_t *jwk_of(const struct point *point, bool secret)
{
        CLEANUP(json_decref_p)
        json_t *json = json_pack("{ss ss ss ss ss*}", "kty", "EC", "crv", "P-256", "x", point->x, "y", point->y, "d",
                                 secret ? point->d : NULL);
        jwk_t *jwk = NULL;
        if (json == NULL || r_jwk_init(&jwk) != RHN_OK) {
                return NULL;
        }
        if (r_jwk_import_from_json_t(jwk, json) != RHN_OK || r_jwk_is_valid(jwk) != RHN_OK) {
                r_jwk_free(jwk);
                return NULL;
        }
        return jwk;
}

/* GnuTLS takes a point without a look at the curve; OpenSSL looks. */
static bool on_curve(const struct point *point)
{
        uint8_t bytes[1 + 2 * COORDINATE_BYTES] = {POINT_CONVERSION_UNCOMPRESSED};
        size_t x = 0, y = 0;
        if (!base64url_decode(str_of(point->x), bytes + 1, COORDINATE_BYTES, &x) ||
            !base64url_decode(str_of(point->y), bytes + 1 + COORDINATE_BYTES, COORDINATE_BYTES, &y) ||
            x != COORDINATE_BYTES || y != COORDINATE_BYTES) {
                return false;
        }
        EC_GROUP *group = EC_GROUP_new_by_curve_name(NID_X9_62_prime256v1);
        EC_POINT *at = group != NULL ? EC_POINT_new(group) : NULL;
        bool on = at != NULL && EC_POINT_oct2point(group, at, bytes, sizeof(bytes), NULL) == 1;
        EC_POINT_free(at);
        EC_GROUP_free(group);
        return on;
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

/* With the writers' lock held: puts the key into the table, unless it stands there. True when it went in. */
static bool insert(const struct token_key *key, const struct token_key **trusted)
{
        size_t n = atomic_load(&n_keys);
        const struct token_key *known = token_key_find(key->kid);
        if (known != NULL && (key->private_key == NULL || known->private_key != NULL)) {
                *trusted = known;
                return false;
        }
        if (n == MAX_KEYS) {
                *trusted = NULL;
                return false;
        }
        keys[n] = *key; /* a signer that was known by its public key alone stands here twice: no harm */
        *trusted = &keys[n];
        atomic_store_explicit(&n_keys, n + 1, memory_order_release);
        return true;
}

/* Fills in a key for a point. kid (may be NULL) must be its thumbprint. */
static bool make_key(const struct point *point, bool secret, const char *kid, struct token_key *key)
{
        *key =
            (struct token_key){.public_key = jwk_of(point, false), .private_key = secret ? jwk_of(point, true) : NULL};
        if (key->public_key == NULL || (secret && key->private_key == NULL)) {
                return false;
        }
        char *thumbprint = r_jwk_thumbprint(key->public_key, R_JWK_THUMB_SHA256, R_FLAG_IGNORE_REMOTE);
        bool usable = thumbprint != NULL && strlen(thumbprint) == sizeof(key->kid) - 1 &&
                      (kid == NULL || strcmp(kid, thumbprint) == 0);
        if (usable) {
                memcpy(key->kid, thumbprint, sizeof(key->kid));
        }
        r_free(thumbprint);
        return usable;
}

/* Trusts a point; gives its key, the known one if there is one. */
static sn_status trust(const struct point *point, bool secret, const char *kid, const struct token_key **trusted)
{
        struct token_key key;
        bool made = make_key(point, secret, kid, &key), inserted = false;
        *trusted = NULL;
        if (made) {
                pthread_mutex_lock(&writers);
                inserted = insert(&key, trusted);
                pthread_mutex_unlock(&writers);
        }
        if (!inserted) {
                r_jwk_free(key.public_key);
                r_jwk_free(key.private_key);
        }
        if (!made) {
                return SN_INVALID_ARGUMENT;
        }
        return *trusted != NULL ? SN_OK : SN_RESOURCE_EXHAUSTED;
}

/* The private scalar d in 1 … n-1, from 64 derived bytes: so many more than needed that the modulus favours none (FIPS
 * 186-5, A.2.1). */
static bool derive_scalar(const EC_GROUP *group, BIGNUM *d, BN_CTX *context)
{
        uint8_t bytes[64];
        keys_derive("access-token-es256", bytes);
        keys_derive("access-token-es256 extra bits", bytes + 32);
        BIGNUM *limit = BN_dup(EC_GROUP_get0_order(group));
        BN_set_flags(d, BN_FLG_CONSTTIME);
        bool done = limit != NULL && BN_sub_word(limit, 1) == 1 && BN_bin2bn(bytes, sizeof(bytes), d) != NULL &&
                    BN_mod(d, d, limit, context) == 1 && BN_add_word(d, 1) == 1;
        BN_free(limit);
        sodium_memzero(bytes, sizeof(bytes));
        return done;
}

static bool encode(const BIGNUM *number, char out[COORDINATE_SIZE])
{
        uint8_t bytes[COORDINATE_BYTES];
        bool done = BN_bn2binpad(number, bytes, sizeof(bytes)) == COORDINATE_BYTES;
        base64url_encode(bytes, sizeof(bytes), out);
        sodium_memzero(bytes, sizeof(bytes));
        return done;
}

static bool derive_point(struct point *out)
{
        EC_GROUP *group = EC_GROUP_new_by_curve_name(NID_X9_62_prime256v1);
        EC_POINT *point = group != NULL ? EC_POINT_new(group) : NULL;
        BN_CTX *context = BN_CTX_secure_new();
        BIGNUM *d = BN_secure_new(), *x = BN_new(), *y = BN_new();
        bool done = point != NULL && context != NULL && d != NULL && x != NULL && y != NULL &&
                    derive_scalar(group, d, context) && EC_POINT_mul(group, point, d, NULL, NULL, context) == 1 &&
                    EC_POINT_get_affine_coordinates(group, point, x, y, context) == 1 && encode(x, out->x) &&
                    encode(y, out->y) && encode(d, out->d);
        BN_free(y);
        BN_free(x);
        BN_clear_free(d);
        BN_CTX_free(context);
        EC_POINT_free(point);
        EC_GROUP_free(group);
        return done;
}

sn_status token_signer_setup(void)
{
        CLEANUP(wipe_point_p) struct point point;
        const struct token_key *key;
        if (!derive_point(&point)) {
                return SN_INTERNAL;
        }
        TRY(trust(&point, true, NULL, &key));
        snprintf(signer_jwks, sizeof(signer_jwks),
                 "{\"keys\":[{\"kty\":\"EC\",\"crv\":\"P-256\",\"x\":\"%s\",\"y\":\"%s\",\"use\":\"sig\",\"alg\":"
                 "\"ES256\",\"kid\":\"%s\"}]}",
                 point.x, point.y, key->kid);
        atomic_store_explicit(&signer, key, memory_order_release);
        return SN_OK;
}

static bool member_is(const json_t *object, const char *name, const char *expected, bool required)
{
        const json_t *value = json_object_get(object, name);
        const char *text = json_string_value(value);
        return value == NULL ? !required : text != NULL && strcmp(text, expected) == 0;
}

static bool get_coordinate(const json_t *json, const char *name, char out[COORDINATE_SIZE])
{
        const char *text = json_string_value(json_object_get(json, name));
        if (text == NULL || strlen(text) != COORDINATE_SIZE - 1) {
                return false;
        }
        memcpy(out, text, COORDINATE_SIZE);
        return true;
}

/* Whether a member of a JWKS is a public key for our tokens. A private one is refused: it is not secret any more. */
static bool read_point(const json_t *json, struct point *out)
{
        return member_is(json, "kty", "EC", true) && member_is(json, "crv", "P-256", true) &&
               member_is(json, "use", "sig", false) && member_is(json, "alg", "ES256", false) &&
               json_object_get(json, "d") == NULL && get_coordinate(json, "x", out->x) &&
               get_coordinate(json, "y", out->y) && on_curve(out);
}

sn_status token_trust_jwks(const char *jwks)
{
        CLEANUP(json_decref_p) json_t *root = json_loads(jwks, JSON_REJECT_DUPLICATES, NULL);
        const json_t *list = json_object_get(root, "keys");
        sn_status status = SN_INVALID_ARGUMENT;
        size_t usable = 0;
        for (size_t i = 0; i < json_array_size(list); i++) {
                const json_t *json = json_array_get(list, i);
                struct point point = {0};
                const struct token_key *key;
                if (!read_point(json, &point)) {
                        continue; /* of another kind: RFC 7517, 5 */
                }
                status = trust(&point, false, json_string_value(json_object_get(json, "kid")), &key);
                usable += status == SN_OK;
        }
        return usable > 0 ? SN_OK : status;
}
