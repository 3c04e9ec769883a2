/* Signing and verifying with other OpenSSL calls than es256.c, and the parts of a valid token. */
#include "auth/test_token_tools.h"

#include <openssl/bn.h>
#include <openssl/core_names.h>
#include <openssl/ecdsa.h>
#include <openssl/params.h>
#include <sodium.h>

#include "auth/keys.h"
#include "base/clock.h"

enum { VARIANT = sodium_base64_VARIANT_URLSAFE_NO_PADDING };

struct rpc_call *call;
_Atomic int64_t wall_s = NOW_S;
EVP_PKEY *own_key, *other_key;
const char *kid;

const struct token_claims claims = {
    .subject = "0192d5d0-7c1e-7abc-8def-0123456789ab",
    .session = "0192d5d0-7c1e-7abc-8def-ba9876543210",
    .scope = "read write",
    .epoch = 3,
    .auth_time_s = NOW_S - 60,
};

static int64_t fixed_wall_us(void)
{
        return atomic_load(&wall_s) * 1000000;
}

char *encode(const void *bytes, size_t len)
{
        size_t size = sodium_base64_encoded_len(len, VARIANT);
        return sodium_bin2base64(arena_alloc(call->arena, size), size, bytes, len, VARIANT);
}

size_t decode(const char *text, size_t chars, uint8_t *out, size_t size)
{
        size_t len = 0;
        assert_int_equal(sodium_base642bin(out, size, text, chars, NULL, &len, NULL, VARIANT), 0);
        return len;
}

EVP_PKEY *key_of(const json_t *jwk)
{
        uint8_t point[65] = {4};
        const char *x = json_string_value(json_object_get(jwk, "x")), *y = json_string_value(json_object_get(jwk, "y"));
        decode(x, strlen(x), point + 1, 32);
        decode(y, strlen(y), point + 33, 32);

        OSSL_PARAM params[] = {
            OSSL_PARAM_construct_utf8_string(OSSL_PKEY_PARAM_GROUP_NAME, (char[]){"prime256v1"}, 0),
            OSSL_PARAM_construct_octet_string(OSSL_PKEY_PARAM_PUB_KEY, point, sizeof(point)),
            OSSL_PARAM_construct_end(),
        };
        EVP_PKEY_CTX *context = EVP_PKEY_CTX_new_from_name(NULL, "EC", NULL);
        EVP_PKEY *key = NULL;
        assert_int_equal(EVP_PKEY_fromdata_init(context), 1);
        assert_int_equal(EVP_PKEY_fromdata(context, &key, EVP_PKEY_PUBLIC_KEY, params), 1);
        EVP_PKEY_CTX_free(context);
        return key;
}

/* The signature of JWS: r and s, 32 bytes each (RFC 7515, A.3). */
static void sign(EVP_PKEY *key, const char *text, uint8_t out[64])
{
        uint8_t der[80];
        size_t len = sizeof(der);
        EVP_MD_CTX *context = EVP_MD_CTX_new();
        assert_int_equal(EVP_DigestSignInit(context, NULL, EVP_sha256(), NULL, key), 1);
        assert_int_equal(EVP_DigestSign(context, der, &len, (const uint8_t *)text, strlen(text)), 1);
        EVP_MD_CTX_free(context);
        const uint8_t *at = der;
        ECDSA_SIG *signature = d2i_ECDSA_SIG(NULL, &at, (long)len);
        BN_bn2binpad(ECDSA_SIG_get0_r(signature), out, 32);
        BN_bn2binpad(ECDSA_SIG_get0_s(signature), out + 32, 32);
        ECDSA_SIG_free(signature);
}

bool verifies(EVP_PKEY *key, const char *text, size_t len, const uint8_t signature[64])
{
        ECDSA_SIG *parts = ECDSA_SIG_new();
        ECDSA_SIG_set0(parts, BN_bin2bn(signature, 32, NULL), BN_bin2bn(signature + 32, 32, NULL));
        uint8_t *der = NULL;
        int der_len = i2d_ECDSA_SIG(parts, &der);
        EVP_MD_CTX *context = EVP_MD_CTX_new();
        bool good = EVP_DigestVerifyInit(context, NULL, EVP_sha256(), NULL, key) == 1 &&
                    EVP_DigestVerify(context, der, (size_t)der_len, (const uint8_t *)text, len) == 1;
        EVP_MD_CTX_free(context);
        OPENSSL_free(der);
        ECDSA_SIG_free(parts);
        return good;
}

char *good_header(void)
{
        return arena_printf(call->arena, "{\"alg\":\"ES256\",\"typ\":\"at+jwt\",\"kid\":\"%s\"}", kid);
}

char *payload_with(const char *more)
{
        return arena_printf(call->arena,
                            "{\"iss\":\"sonet\",\"aud\":\"sonet\",\"sub\":\"%s\",\"sid\":\"%s\",\"scope\":\"read\","
                            "\"epoch\":3,\"iat\":%d,"
                            "\"nbf\":%d,\"exp\":%d%s}",
                            claims.subject, claims.session, NOW_S, NOW_S, NOW_S + TOKEN_LIFE_S, more);
}

char *with(const char *text, const char *from, const char *to)
{
        const char *at = strstr(text, from);
        assert_non_null(at);
        return arena_printf(call->arena, "%.*s%s%s", (int)(at - text), text, to, at + strlen(from));
}

char *token_of(const char *header, const char *payload, EVP_PKEY *key)
{
        uint8_t signature[64];
        char *head =
            arena_printf(call->arena, "%s.%s", encode(header, strlen(header)), encode(payload, strlen(payload)));
        sign(key, head, signature);
        return arena_printf(call->arena, "%s.%s", head, encode(signature, sizeof(signature)));
}

/* Not inlined: GCC 12 would confuse the returned text with the variable that pointed to it, and warn. */
__attribute__((noinline)) char *fresh_token(void)
{
        char *token;
        assert_int_equal(token_sign(call, &claims, &token), SN_OK);
        return token;
}

const char *session_of(int i)
{
        return arena_printf(call->arena, "0192d5d0-7c1e-7abc-8def-%012x", (unsigned)i);
}

char *other_jwks(const char *members)
{
        uint8_t point[65];
        size_t len;
        assert_int_equal(
            EVP_PKEY_get_octet_string_param(other_key, OSSL_PKEY_PARAM_ENCODED_PUBLIC_KEY, point, sizeof(point), &len),
            1);
        assert_int_equal(len, 65);
        return arena_printf(call->arena, "{\"keys\":[{\"kty\":\"EC\",\"crv\":\"P-256\",\"x\":\"%s\",\"y\":\"%s\"%s}]}",
                            encode(point + 1, 32), encode(point + 33, 32), members);
}

void view_is_refused(struct str token, const char *code)
{
        struct token_claims found = claims;
        assert_int_equal(token_verify(call, token, &found), SN_UNAUTHENTICATED);
        if (strcmp(call->problem.code, code) != 0) {
                fail_msg("«%.*s» was refused with %s, not %s", (int)token.len, token.ptr, call->problem.code, code);
        }
        assert_true(strlen(call->problem.detail) > 20);
        assert_string_equal(found.subject, "");
}

void is_refused(const char *token, const char *code)
{
        view_is_refused(str_of(token), code);
}

void is_taken(const char *token)
{
        struct token_claims found;
        assert_int_equal(token_verify(call, str_of(token), &found), SN_OK);
        assert_string_equal(found.subject, claims.subject);
}

int with_keys(void **state)
{
        static const struct clock_source source = {.wall_us = fixed_wall_us};
        static const uint8_t master[32] = "the key file of these tests";
        clock_set_source(&source);
        keys_set_master(master);
        call = rpc_call_new_background(NULL, 60000);
        if (token_has_keys() || token_signer_setup() != SN_OK || !token_has_keys()) {
                return -1;
        }
        kid = token_key_signer()->kid;
        own_key = token_key_signer()->key;
        EVP_PKEY_up_ref(own_key);
        other_key = EVP_EC_gen("prime256v1");
        return other_key == NULL;
}

int without_keys(void **state)
{
        EVP_PKEY_free(own_key);
        EVP_PKEY_free(other_key);
        rpc_call_free(call);
        clock_set_source(NULL);
        return 0;
}
