/* OpenSSL has signatures in DER, JWS has the two bare numbers. This file converts them, and builds keys. */
#include "auth/es256.h"

#include <openssl/bn.h>
#include <openssl/core_names.h>
#include <openssl/ec.h>
#include <openssl/ecdsa.h>
#include <openssl/obj_mac.h>
#include <openssl/param_build.h>
#include <openssl/sha.h>
#include <sodium.h>
#include <stdio.h>
#include <string.h>

#include "auth/keys.h"
#include "base/status.h"

enum { POINT_BYTES = 1 + 2 * ES256_NUMBER_BYTES, MAX_DER_BYTES = 72 };

static void number_free_p(BIGNUM **number)
{
        BN_clear_free(*number);
}

static void builder_free_p(OSSL_PARAM_BLD **builder)
{
        OSSL_PARAM_BLD_free(*builder);
}

static void params_free_p(OSSL_PARAM **params)
{
        OSSL_PARAM_free(*params);
}

static void context_free_p(EVP_PKEY_CTX **context)
{
        EVP_PKEY_CTX_free(*context);
}

static void signature_free_p(ECDSA_SIG **signature)
{
        ECDSA_SIG_free(*signature);
}

/* The group, the point and, if given, the scalar. */
static OSSL_PARAM *describe_key(const uint8_t point[POINT_BYTES], const BIGNUM *d)
{
        CLEANUP(builder_free_p) OSSL_PARAM_BLD *builder = OSSL_PARAM_BLD_new();
        bool done = builder != NULL &&
                    OSSL_PARAM_BLD_push_utf8_string(builder, OSSL_PKEY_PARAM_GROUP_NAME, "P-256", 0) == 1 &&
                    OSSL_PARAM_BLD_push_octet_string(builder, OSSL_PKEY_PARAM_PUB_KEY, point, POINT_BYTES) == 1 &&
                    (d == NULL || OSSL_PARAM_BLD_push_BN(builder, OSSL_PKEY_PARAM_PRIV_KEY, d) == 1);
        return done ? OSSL_PARAM_BLD_to_param(builder) : NULL;
}

static EVP_PKEY *key_of(OSSL_PARAM *params, int selection)
{
        CLEANUP(context_free_p) EVP_PKEY_CTX *context = EVP_PKEY_CTX_new_from_name(NULL, "EC", NULL);
        EVP_PKEY *key = NULL;
        if (params == NULL || context == NULL || EVP_PKEY_fromdata_init(context) != 1 ||
            EVP_PKEY_fromdata(context, &key, selection, params) != 1) {
                return NULL;
        }
        return key;
}

EVP_PKEY *es256_key(const uint8_t x[ES256_NUMBER_BYTES], const uint8_t y[ES256_NUMBER_BYTES], const uint8_t *d)
{
        uint8_t point[POINT_BYTES] = {POINT_CONVERSION_UNCOMPRESSED};
        memcpy(point + 1, x, ES256_NUMBER_BYTES);
        memcpy(point + 1 + ES256_NUMBER_BYTES, y, ES256_NUMBER_BYTES);

        CLEANUP(number_free_p) BIGNUM *scalar = d != NULL ? BN_secure_new() : NULL;
        if (d != NULL && (scalar == NULL || BN_bin2bn(d, ES256_NUMBER_BYTES, scalar) == NULL)) {
                return NULL;
        }
        CLEANUP(params_free_p) OSSL_PARAM *params = describe_key(point, scalar);
        return key_of(params, d != NULL ? EVP_PKEY_KEYPAIR : EVP_PKEY_PUBLIC_KEY);
}

bool es256_sign(EVP_PKEY *key, const void *bytes, size_t len, uint8_t signature[ES256_SIGNATURE_BYTES])
{
        uint8_t hash[SHA256_DIGEST_LENGTH], der[MAX_DER_BYTES];
        size_t der_len = sizeof(der);
        CLEANUP(context_free_p) EVP_PKEY_CTX *context = EVP_PKEY_CTX_new(key, NULL);
        SHA256(bytes, len, hash);
        if (context == NULL || EVP_PKEY_sign_init(context) != 1 ||
            EVP_PKEY_sign(context, der, &der_len, hash, sizeof(hash)) != 1) {
                return false;
        }
        const uint8_t *at = der;
        CLEANUP(signature_free_p) ECDSA_SIG *parts = d2i_ECDSA_SIG(NULL, &at, (long)der_len);
        return parts != NULL &&
               BN_bn2binpad(ECDSA_SIG_get0_r(parts), signature, ES256_NUMBER_BYTES) == ES256_NUMBER_BYTES &&
               BN_bn2binpad(ECDSA_SIG_get0_s(parts), signature + ES256_NUMBER_BYTES, ES256_NUMBER_BYTES) ==
                   ES256_NUMBER_BYTES;
}

/* The length of the signature in DER; 0 when out of memory. */
static size_t write_der(const uint8_t signature[ES256_SIGNATURE_BYTES], uint8_t der[MAX_DER_BYTES])
{
        CLEANUP(signature_free_p) ECDSA_SIG *parts = ECDSA_SIG_new();
        BIGNUM *r = BN_bin2bn(signature, ES256_NUMBER_BYTES, NULL);
        BIGNUM *s = BN_bin2bn(signature + ES256_NUMBER_BYTES, ES256_NUMBER_BYTES, NULL);
        if (parts == NULL || r == NULL || s == NULL ||
            ECDSA_SIG_set0(parts, r, s) != 1) { /* takes ownership of both or of neither */
                BN_free(r);
                BN_free(s);
                return 0;
        }
        int len = i2d_ECDSA_SIG(parts, &der);
        return len > 0 ? (size_t)len : 0;
}

bool es256_verify(EVP_PKEY *key, const void *bytes, size_t len, const uint8_t signature[ES256_SIGNATURE_BYTES])
{
        uint8_t hash[SHA256_DIGEST_LENGTH], der[MAX_DER_BYTES];
        size_t der_len = write_der(signature, der);
        CLEANUP(context_free_p) EVP_PKEY_CTX *context = EVP_PKEY_CTX_new(key, NULL);
        SHA256(bytes, len, hash);
        return der_len > 0 && context != NULL && EVP_PKEY_verify_init(context) == 1 &&
               EVP_PKEY_verify(context, der, der_len, hash, sizeof(hash)) == 1;
}

/* The private scalar d in 1 … n-1, from 64 derived bytes: enough that the modulus introduces no bias (FIPS 186-5,
 * A.2.1). */
static bool derive_scalar(const char *label, const EC_GROUP *group, BIGNUM *d, BN_CTX *context)
{
        uint8_t bytes[64];
        char second[64];
        (void)snprintf(second, sizeof(second), "%s extra bits", label);
        keys_derive(label, bytes);
        keys_derive(second, bytes + 32);
        BIGNUM *limit = BN_dup(EC_GROUP_get0_order(group));
        BN_set_flags(d, BN_FLG_CONSTTIME);
        bool done = limit != NULL && BN_sub_word(limit, 1) == 1 && BN_bin2bn(bytes, sizeof(bytes), d) != NULL &&
                    BN_mod(d, d, limit, context) == 1 && BN_add_word(d, 1) == 1;
        BN_free(limit);
        sodium_memzero(bytes, sizeof(bytes));
        return done;
}

static bool write_number(const BIGNUM *number, uint8_t out[ES256_NUMBER_BYTES])
{
        return BN_bn2binpad(number, out, ES256_NUMBER_BYTES) == ES256_NUMBER_BYTES;
}

bool es256_derive(const char *label, struct es256_point *out)
{
        EC_GROUP *group = EC_GROUP_new_by_curve_name(NID_X9_62_prime256v1);
        EC_POINT *point = group != NULL ? EC_POINT_new(group) : NULL;
        BN_CTX *context = BN_CTX_secure_new();
        BIGNUM *d = BN_secure_new(), *x = BN_new(), *y = BN_new();
        bool done = point != NULL && context != NULL && d != NULL && x != NULL && y != NULL &&
                    derive_scalar(label, group, d, context) &&
                    EC_POINT_mul(group, point, d, NULL, NULL, context) == 1 &&
                    EC_POINT_get_affine_coordinates(group, point, x, y, context) == 1 && write_number(x, out->x) &&
                    write_number(y, out->y) && write_number(d, out->d);
        BN_free(y);
        BN_free(x);
        BN_clear_free(d);
        BN_CTX_free(context);
        EC_POINT_free(point);
        EC_GROUP_free(group);
        return done;
}
