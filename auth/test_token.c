/* Shows what an access token must be to be taken. Signatures are made and checked by OpenSSL here, so that the library
 * is not asked about itself. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <cmocka.h>

#include <jansson.h>
#include <openssl/bn.h>
#include <openssl/core_names.h>
#include <openssl/ecdsa.h>
#include <openssl/evp.h>
#include <openssl/hmac.h>
#include <openssl/param_build.h>
#include <openssl/sha.h>
#include <pthread.h>
#include <sodium.h>
#include <stdatomic.h>
#include <stdio.h>
#include <string.h>

#include "auth/keys.h"
#include "auth/token.h"
#include "auth/token_keys.h"
#include "base/clock.h"

enum { NOW_S = 1790000000, VARIANT = sodium_base64_VARIANT_URLSAFE_NO_PADDING };

static struct rpc_call *call;
static _Atomic int64_t wall_s = NOW_S;
static EVP_PKEY *own_key, *other_key;
static const char *kid;

static const struct token_claims claims = {
    .subject = "0192d5d0-7c1e-7abc-8def-0123456789ab",
    .session = "0192d5d0-7c1e-7abc-8def-ba9876543210",
    .scope = "read write",
    .epoch = 3,
};

static int64_t fixed_wall_us(void)
{
        return atomic_load(&wall_s) * 1000000;
}

static char *encode(const void *bytes, size_t len)
{
        size_t size = sodium_base64_encoded_len(len, VARIANT);
        return sodium_bin2base64(arena_alloc(call->arena, size), size, bytes, len, VARIANT);
}

static size_t decode(const char *text, size_t chars, uint8_t *out, size_t size)
{
        size_t len = 0;
        assert_int_equal(sodium_base642bin(out, size, text, chars, NULL, &len, NULL, VARIANT), 0);
        return len;
}

static BIGNUM *number(const jwk_t *jwk, const char *name)
{
        uint8_t bytes[32];
        const char *text = json_string_value(json_object_get(jwk, name));
        return BN_bin2bn(bytes, (int)decode(text, strlen(text), bytes, sizeof(bytes)), NULL);
}

/* An OpenSSL key of a JWK. */
static EVP_PKEY *key_of(const jwk_t *jwk)
{
        uint8_t point[65] = {4};
        const char *x = json_string_value(json_object_get(jwk, "x")), *y = json_string_value(json_object_get(jwk, "y"));
        decode(x, strlen(x), point + 1, 32);
        decode(y, strlen(y), point + 33, 32);

        OSSL_PARAM_BLD *builder = OSSL_PARAM_BLD_new();
        OSSL_PARAM_BLD_push_utf8_string(builder, OSSL_PKEY_PARAM_GROUP_NAME, "prime256v1", 0);
        OSSL_PARAM_BLD_push_octet_string(builder, OSSL_PKEY_PARAM_PUB_KEY, point, sizeof(point));
        BIGNUM *d = json_object_get(jwk, "d") != NULL ? number(jwk, "d") : NULL;
        if (d != NULL) {
                OSSL_PARAM_BLD_push_BN(builder, OSSL_PKEY_PARAM_PRIV_KEY, d);
        }
        OSSL_PARAM *params = OSSL_PARAM_BLD_to_param(builder);
        EVP_PKEY_CTX *context = EVP_PKEY_CTX_new_from_name(NULL, "EC", NULL);
        EVP_PKEY *key = NULL;
        assert_int_equal(EVP_PKEY_fromdata_init(context), 1);
        assert_int_equal(EVP_PKEY_fromdata(context, &key, d != NULL ? EVP_PKEY_KEYPAIR : EVP_PKEY_PUBLIC_KEY, params),
                         1);
        EVP_PKEY_CTX_free(context);
        OSSL_PARAM_free(params);
        OSSL_PARAM_BLD_free(builder);
        BN_free(d);
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

static bool verifies(EVP_PKEY *key, const char *text, size_t len, const uint8_t signature[64])
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

static char *good_header(void)
{
        return arena_printf(call->arena, "{\"alg\":\"ES256\",\"typ\":\"at+jwt\",\"kid\":\"%s\"}", kid);
}

/* A payload that is taken, unless more (",\"name\":value…") says otherwise. */
static char *payload_with(const char *more)
{
        return arena_printf(call->arena,
                            "{\"iss\":\"sonet\",\"aud\":\"sonet\",\"sub\":\"%s\",\"sid\":\"%s\",\"scope\":\"read\","
                            "\"epoch\":3,\"iat\":%d,"
                            "\"nbf\":%d,\"exp\":%d%s}",
                            claims.subject, claims.session, NOW_S, NOW_S, NOW_S + TOKEN_LIFE_S, more);
}

/* Replaces the first `from` in a text. */
static char *with(const char *text, const char *from, const char *to)
{
        const char *at = strstr(text, from);
        assert_non_null(at);
        return arena_printf(call->arena, "%.*s%s%s", (int)(at - text), text, to, at + strlen(from));
}

/* A token of any header and payload, signed with a key. */
static char *token_of(const char *header, const char *payload, EVP_PKEY *key)
{
        uint8_t signature[64];
        char *head =
            arena_printf(call->arena, "%s.%s", encode(header, strlen(header)), encode(payload, strlen(payload)));
        sign(key, head, signature);
        return arena_printf(call->arena, "%s.%s", head, encode(signature, sizeof(signature)));
}

/* Not inlined: GCC 12 would take the text that is returned for the variable that pointed to it, and warn. */
__attribute__((noinline)) static char *fresh_token(void)
{
        char *token;
        assert_int_equal(token_sign(call, &claims, &token), SN_OK);
        return token;
}

static void view_is_refused(struct str token, const char *code)
{
        struct token_claims found = claims;
        assert_int_equal(token_verify(call, token, &found), SN_UNAUTHENTICATED);
        if (strcmp(call->problem.code, code) != 0) {
                fail_msg("«%.*s» was refused with %s, not %s", (int)token.len, token.ptr, call->problem.code, code);
        }
        assert_true(strlen(call->problem.detail) > 20);
        assert_string_equal(found.subject, "");
}

static void is_refused(const char *token, const char *code)
{
        view_is_refused(str_of(token), code);
}

static void is_taken(const char *token)
{
        struct token_claims found;
        assert_int_equal(token_verify(call, str_of(token), &found), SN_OK);
        assert_string_equal(found.subject, claims.subject);
}

static void a_token_carries_its_claims(void **state)
{
        struct token_claims found;
        const char *token = fresh_token();
        for (int i = 0; i < 2; i++) { /* verified, then remembered */
                memset(&found, 0xff, sizeof(found));
                assert_int_equal(token_verify(call, str_of(token), &found), SN_OK);
                assert_string_equal(found.subject, claims.subject);
                assert_string_equal(found.session, claims.session);
                assert_string_equal(found.scope, claims.scope);
                assert_int_equal(found.epoch, 3);
                assert_int_equal(found.expires_s, wall_s + TOKEN_LIFE_S);
        }
}

static void its_header_is_fixed(void **state)
{
        uint8_t header[200];
        const char *token = fresh_token();
        size_t len = decode(token, (size_t)(strchr(token, '.') - token), header, sizeof(header));
        json_t *json = json_loadb((const char *)header, len, 0, NULL);
        assert_int_equal(json_object_size(json), 3);
        assert_string_equal(json_string_value(json_object_get(json, "alg")), "ES256");
        assert_string_equal(json_string_value(json_object_get(json, "typ")), "at+jwt");
        assert_string_equal(json_string_value(json_object_get(json, "kid")), kid);
        json_decref(json);
}

static void openssl_verifies_what_is_signed_here(void **state)
{
        json_t *jwks = json_loads(token_jwks(), 0, NULL);
        EVP_PKEY *key = key_of(json_array_get(json_object_get(jwks, "keys"), 0));
        for (int i = 0; i < 300; i++) { /* one r or s in 256 is shorter than 32 bytes */
                uint8_t signature[64];
                struct arena_mark mark = arena_mark(call->arena);
                const char *token = fresh_token();
                const char *dot = strrchr(token, '.');
                assert_int_equal(decode(dot + 1, strlen(dot + 1), signature, sizeof(signature)), 64);
                assert_true(verifies(key, token, (size_t)(dot - token), signature));
                arena_reset(call->arena, mark);
        }
        EVP_PKEY_free(key);
        json_decref(jwks);
}

static void what_openssl_signs_is_verified_here(void **state)
{
        for (int i = 0; i < 300; i++) {
                struct arena_mark mark = arena_mark(call->arena);
                char more[32];
                snprintf(more, sizeof(more), ",\"jti\":%d", i); /* so that none is remembered */
                is_taken(token_of(good_header(), payload_with(more), own_key));
                arena_reset(call->arena, mark);
        }
}

static void the_key_id_is_the_thumbprint_of_rfc_7638(void **state)
{
        uint8_t hash[32];
        json_t *jwks = json_loads(token_jwks(), 0, NULL), *key = json_array_get(json_object_get(jwks, "keys"), 0);
        char *canonical =
            arena_printf(call->arena, "{\"crv\":\"P-256\",\"kty\":\"EC\",\"x\":\"%s\",\"y\":\"%s\"}",
                         json_string_value(json_object_get(key, "x")), json_string_value(json_object_get(key, "y")));
        SHA256((const uint8_t *)canonical, strlen(canonical), hash);
        assert_string_equal(json_string_value(json_object_get(key, "kid")), encode(hash, sizeof(hash)));
        assert_null(json_object_get(key, "d")); /* public only */
        json_decref(jwks);
}

static void the_same_key_file_gives_the_same_key(void **state)
{
        const char *before = arena_strdup(call->arena, token_jwks());
        const char *token = fresh_token();
        assert_int_equal(token_signer_setup(), SN_OK);
        assert_string_equal(token_jwks(), before);
        is_taken(token);
}

static void text_that_is_no_token_is_refused(void **state)
{
        static const char *const texts[] = {"",      ".",       "..",       "...",        "a",    "a.b",
                                            "a.b.c", "a.b.c.d", "Bearer x", "eyJ9.eyJ9.", " . . "};
        char long_text[TOKEN_MAX_BYTES + 1];
        for (size_t i = 0; i < sizeof(texts) / sizeof(texts[0]); i++) {
                is_refused(texts[i], "token_malformed");
        }
        memset(long_text, 'a', sizeof(long_text));
        view_is_refused((struct str){long_text, sizeof(long_text)}, "token_malformed");
        view_is_refused((struct str){long_text, TOKEN_MAX_BYTES}, "token_malformed");
        memset(long_text, '.', sizeof(long_text));
        view_is_refused((struct str){long_text, TOKEN_MAX_BYTES}, "token_malformed");
}

static void nul_bytes_are_refused(void **state)
{
        char text[1000];
        const char *token = fresh_token();
        size_t len = strlen(token);
        is_taken(token);
        memcpy(text, token, len + 1);
        view_is_refused((struct str){text, len + 1}, "token_malformed");
        for (size_t i = 0; i < len; i += 7) {
                text[i] = '\0';
                view_is_refused((struct str){text, len}, "token_malformed");
                text[i] = token[i];
        }
        is_refused(token_of(good_header(), with(payload_with(""), "\"read\"", "\"re\\u0000ad\""), own_key),
                   "token_malformed");
}

static void padding_and_spare_bits_are_refused(void **state)
{
        char *token = fresh_token();
        size_t last = strlen(token) - 1;
        is_refused(arena_printf(call->arena, "%s=", token), "token_malformed");
        is_refused(arena_printf(call->arena, "%s==", token), "token_malformed");
        /* 86 characters carry four spare bits: only A, Q, g and w leave them empty. */
        assert_non_null(strchr("AQgw", token[last]));
        token[last]++;
        is_refused(token, "token_malformed");
        token[last]--;
        for (size_t i = 0; token[i] != '\0'; i++) {
                if (token[i] == '_') { /* libsodium alone would read these bytes as '_' */
                        token[i] = (char)0xe0;
                        is_refused(token, "token_malformed");
                        token[i] = '_';
                }
        }
        is_taken(token);
}

static void no_signature_is_refused(void **state)
{
        const char *header = "{\"alg\":\"none\",\"typ\":\"at+jwt\"}", *payload = payload_with("");
        char *head =
            arena_printf(call->arena, "%s.%s", encode(header, strlen(header)), encode(payload, strlen(payload)));
        is_refused(arena_printf(call->arena, "%s.", head), "token_algorithm");
        is_refused(token_of(header, payload, own_key), "token_algorithm");
        is_refused(token_of(with(good_header(), "ES256", "none"), payload, own_key), "token_algorithm");
        is_refused(token_of(with(good_header(), "ES256", "None"), payload, own_key), "token_algorithm");
        is_refused(token_of(with(good_header(), "ES256", ""), payload, own_key), "token_algorithm");
}

static void hs256_with_the_public_key_is_refused(void **state)
{
        const char *payload = payload_with("");
        const char *header = with(good_header(), "ES256", "HS256");
        char *head =
            arena_printf(call->arena, "%s.%s", encode(header, strlen(header)), encode(payload, strlen(payload)));
        uint8_t mac[64];
        unsigned int len = sizeof(mac);
        HMAC(EVP_sha256(), token_jwks(), (int)strlen(token_jwks()), (const uint8_t *)head, strlen(head), mac, &len);
        is_refused(arena_printf(call->arena, "%s.%s", head, encode(mac, len)), "token_algorithm");
        HMAC(EVP_sha512(), token_jwks(), (int)strlen(token_jwks()), (const uint8_t *)head, strlen(head), mac, &len);
        is_refused(arena_printf(call->arena, "%s.%s", head, encode(mac, len)),
                   "token_algorithm"); /* of the length of ours */
}

static void other_algorithms_and_types_are_refused(void **state)
{
        static const char *const algorithms[] = {"ES384", "ES512", "ES256K", "RS256", "PS256",
                                                 "EdDSA", "HS512", "es256",  "ES256 "};
        static const char *const types[] = {"JWT", "jwt", "AT+JWT", "application/at+jwt", "rt+jwt", ""};
        for (size_t i = 0; i < sizeof(algorithms) / sizeof(algorithms[0]); i++) {
                is_refused(token_of(with(good_header(), "ES256", algorithms[i]), payload_with(""), own_key),
                           "token_algorithm");
        }
        for (size_t i = 0; i < sizeof(types) / sizeof(types[0]); i++) {
                is_refused(token_of(with(good_header(), "at+jwt", types[i]), payload_with(""), own_key),
                           "token_algorithm");
        }
        is_refused(token_of(with(good_header(), "\"ES256\"", "256"), payload_with(""), own_key), "token_algorithm");
}

static void more_header_members_are_refused(void **state)
{
        static const char *const members[] = {
            "\"jku\":\"http://127.0.0.1/jwks\",",
            "\"x5u\":\"http://127.0.0.1/x5u\",",
            "\"jwk\":{\"kty\":\"EC\"},",
            "\"x5c\":[],",
            "\"crit\":[\"exp\"],",
            "\"zip\":\"DEF\",",
            "\"b64\":false,",
            "\"alg\":\"ES256\",",
            "\"cty\":\"JWT\",",
            "\"\":1,",
        };
        for (size_t i = 0; i < sizeof(members) / sizeof(members[0]); i++) {
                char *header = with(good_header(), "{", arena_printf(call->arena, "{%s", members[i]));
                is_refused(token_of(header, payload_with(""), own_key), "token_malformed");
        }
}

static void headers_that_are_no_object_are_refused(void **state)
{
        static const char *const headers[] = {
            "null", "[]", "\"\"", "{", "{}}", "ES256", "", " ", "[[[[[[[[[[[[[[[[[[[["};
        for (size_t i = 0; i < sizeof(headers) / sizeof(headers[0]); i++) {
                is_refused(token_of(headers[i], payload_with(""), own_key), "token_malformed");
        }
}

static void another_key_is_refused(void **state)
{
        is_refused(token_of(good_header(), payload_with(""), other_key), "token_signature");
        char *unknown = arena_printf(call->arena, "{\"alg\":\"ES256\",\"typ\":\"at+jwt\",\"kid\":\"%.43s\"}",
                                     "AAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAA");
        is_refused(token_of(unknown, payload_with(""), other_key), "token_key");
        is_refused(token_of("{\"alg\":\"ES256\",\"typ\":\"at+jwt\"}", payload_with(""), own_key), "token_malformed");
        is_refused(token_of("{\"alg\":\"ES256\",\"typ\":\"at+jwt\",\"kid\":1}", payload_with(""), own_key),
                   "token_key");
        is_refused(token_of("{\"alg\":\"ES256\",\"typ\":\"at+jwt\",\"kid\":\"\"}", payload_with(""), own_key),
                   "token_key");
}

static void an_altered_payload_is_refused(void **state)
{
        const char *token = token_of(good_header(), payload_with(""), own_key);
        const char *first = strchr(token, '.'), *second = strrchr(token, '.');
        const char *payload = with(payload_with(""), "\"read\"", "\"admin\"");
        is_taken(token);
        is_refused(arena_printf(call->arena, "%.*s.%s%s", (int)(first - token), token, encode(payload, strlen(payload)),
                                second),
                   "token_signature");
}

static void every_altered_signature_is_refused(void **state)
{
        uint8_t signature[64];
        const char *token = fresh_token();
        const char *dot = strrchr(token, '.');
        decode(dot + 1, 86, signature, sizeof(signature));
        for (size_t i = 0; i < sizeof(signature); i += 3) {
                signature[i] ^= 0x10;
                is_refused(arena_printf(call->arena, "%.*s.%s", (int)(dot - token), token, encode(signature, 64)),
                           "token_signature");
                signature[i] ^= 0x10;
        }
        for (size_t len = 0; len < sizeof(signature); len += 9) {
                is_refused(arena_printf(call->arena, "%.*s.%s", (int)(dot - token), token, encode(signature, len)),
                           "token_malformed");
        }
        memset(signature, 0, sizeof(signature));
        is_refused(arena_printf(call->arena, "%.*s.%s", (int)(dot - token), token, encode(signature, 64)),
                   "token_signature");
        memset(signature, 0xff, sizeof(signature));
        is_refused(arena_printf(call->arena, "%.*s.%s", (int)(dot - token), token, encode(signature, 64)),
                   "token_signature");
}

static void claims_of_others_are_refused(void **state)
{
        const char *good = payload_with("");
        const char *changes[][2] = {
            {"\"iss\":\"sonet\"", "\"iss\":\"other\""},
            {"\"aud\":\"sonet\"", "\"aud\":\"other\""},
            {"\"aud\":\"sonet\"", "\"aud\":[\"sonet\"]"},
            {"\"iss\":\"sonet\",", ""},
            {"\"epoch\":3,", ""},
            {"\"epoch\":3", "\"epoch\":\"3\""},
            {"\"epoch\":3", "\"epoch\":3.0"},
            {"\"exp\":", "\"exp\":1.5,\"x\":"},
            {"\"exp\":", "\"exp\":\"1790000900\",\"x\":"},
            {"\"exp\":", "\"exp\":null,\"x\":"},
            {"\"exp\":", "\"x\":"},
            {"\"iat\":", "\"iat\":true,\"x\":"},
            {"\"nbf\":", "\"x\":"},
            {"\"sub\":\"0192d5d0-", "\"sub\":\"0192d5d0"},
            {"\"sub\":\"0192d5d0-7c1e-7abc", "\"sub\":\"0192D5D0-7c1e-7abc"},
            {"\"sid\":\"", "\"sid\":\"x"},
            {"\"sid\":", "\"sid\":null,\"x\":"},
            {"\"read\"", "[\"read\"]"},
            {"\"read\"", "\"read\\n\""},
            {"\"read\"", "\"0123456789012345678901234567890123456789012345678901234567890123\""},
        };
        for (size_t i = 0; i < sizeof(changes) / sizeof(changes[0]); i++) {
                is_refused(token_of(good_header(), with(good, changes[i][0], changes[i][1]), own_key), "token_claims");
        }
        is_refused(token_of(good_header(), payload_with(",\"exp\":1890000000"), own_key),
                   "token_malformed"); /* twice */
        is_refused(token_of(good_header(), with(good, "\"exp\":", "\"exp\":99999999999999999999,\"x\":"), own_key),
                   "token_malformed");
        is_refused(token_of(good_header(), "[]", own_key), "token_malformed");
        is_taken(token_of(good_header(), payload_with(",\"jti\":\"more is passed over\""), own_key));
}

static void a_token_ends_with_its_time(void **state)
{
        const char *remembered = fresh_token(), *unseen = fresh_token();
        is_taken(remembered);
        wall_s += TOKEN_LIFE_S - 1;
        is_taken(remembered);
        wall_s += 1;
        is_refused(remembered, "token_expired");
        is_refused(unseen, "token_expired");
        wall_s = NOW_S;
}

static void a_token_from_the_future_is_refused_beyond_a_minute(void **state)
{
        char *soon = with(payload_with(""), "\"nbf\":1790000000", "\"nbf\":1790000060");
        char *later = with(payload_with(""), "\"nbf\":1790000000", "\"nbf\":1790000061");
        is_taken(token_of(good_header(), soon, own_key));
        is_refused(token_of(good_header(), later, own_key), "token_not_yet_valid");
}

static const char *session_of(int i)
{
        return arena_printf(call->arena, "0192d5d0-7c1e-7abc-8def-%012x", (unsigned)i);
}

static void an_ended_session_is_refused_at_once(void **state)
{
        struct token_claims ended = claims;
        char *token, *unseen;
        memcpy(ended.session, session_of(0xabcdef), UUID_SIZE);
        assert_int_equal(token_sign(call, &ended, &token), SN_OK);
        assert_int_equal(token_sign(call, &ended, &unseen), SN_OK);
        is_taken(token);
        assert_false(token_session_revoked(ended.session));
        token_revoke_session(ended.session, wall_s + TOKEN_LIFE_S);
        is_refused(token, "token_revoked"); /* although it is remembered */
        is_refused(unseen, "token_revoked");
        is_taken(fresh_token()); /* other sessions go on */
}

static void a_revocation_lasts_until_its_time(void **state)
{
        const char *session = session_of(0x7777);
        token_revoke_session(session, wall_s + 100);
        token_revoke_session(session, wall_s + 10); /* never gets shorter */
        wall_s += 100;
        assert_true(token_session_revoked(session));
        wall_s += 1;
        assert_false(token_session_revoked(session));
        wall_s = NOW_S;
}

static void no_revocation_is_lost_among_many(void **state)
{
        enum { SESSIONS = 20000 };
        struct arena_mark mark = arena_mark(call->arena);
        for (int i = 0; i < SESSIONS; i++) {
                token_revoke_session(session_of(i), wall_s + (i % 2 == 0 ? 50 : 500));
                arena_reset(call->arena, mark);
        }
        for (int round = 0; round < 2; round++) {
                for (int i = 0; i < SESSIONS; i++) {
                        assert_int_equal(token_session_revoked(session_of(i)), round == 0 || i % 2 == 1);
                        arena_reset(call->arena, mark);
                }
                wall_s += 60;
                for (int i = SESSIONS; round == 0 && i < 3 * SESSIONS;
                     i++) { /* tables are built anew, without those that are over */
                        token_revoke_session(session_of(i), wall_s + 500);
                        arena_reset(call->arena, mark);
                }
        }
        assert_false(token_session_revoked("no uuid"));
        assert_false(token_session_revoked(session_of(3 * SESSIONS)));
        wall_s = NOW_S;
}

static char *other_jwks(const char *members)
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

static void key_sets_with_nothing_usable_are_refused(void **state)
{
        const char *texts[] = {
            "",
            "{}",
            "[]",
            "{\"keys\":{}}",
            "{\"keys\":[]}",
            "{\"keys\":[1,null,\"x\"]}",
            "{\"keys\":[{\"kty\":\"oct\",\"k\":\"AAAA\"}]}",
            "{\"keys\":[{\"kty\":\"RSA\",\"n\":\"AQAB\",\"e\":\"AQAB\"}]}",
            other_jwks(",\"kid\":\"mine\""),
            other_jwks(",\"use\":\"enc\""),
            other_jwks(",\"alg\":\"ES384\""),
            other_jwks(",\"d\":\"AAECAwQFBgcICQoLDA0ODxAREhMUFRYXGBkaGxwdHh8\""),
            with(other_jwks(""), "\"x\":\"", "\"x\":\"AA"),
            /* not on the curve */
            "{\"keys\":[{\"kty\":\"EC\",\"crv\":\"P-256\",\"x\":\"AAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAE\","
            "\"y\":\"AAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAE\"}]}",
        };
        for (size_t i = 0; i < sizeof(texts) / sizeof(texts[0]); i++) {
                if (token_trust_jwks(texts[i]) != SN_INVALID_ARGUMENT) {
                        fail_msg("«%s» was taken", texts[i]);
                }
        }
}

static void a_fetched_key_is_trusted_beside_the_others(void **state)
{
        /* Last of all: what is trusted stays so. */
        uint8_t hash[32];
        char *jwks = other_jwks(""), *canonical = with(jwks, "{\"keys\":[{\"kty\":\"EC\",\"crv\":\"P-256\"",
                                                       "{\"crv\":\"P-256\",\"kty\":\"EC\"");
        SHA256((const uint8_t *)canonical, strlen(canonical) - 2, hash);
        const char *thumbprint = encode(hash, sizeof(hash));
        char *header = arena_printf(call->arena, "{\"alg\":\"ES256\",\"typ\":\"at+jwt\",\"kid\":\"%s\"}", thumbprint);
        char *token = token_of(header, payload_with(""), other_key);
        is_refused(token, "token_key");
        assert_int_equal(token_trust_jwks(jwks), SN_OK);
        assert_int_equal(token_trust_jwks(jwks), SN_OK); /* again: nothing new */
        assert_int_equal(token_trust_jwks(token_jwks()), SN_OK);
        is_taken(token);
        is_taken(fresh_token());
        is_refused(token_of(good_header(), payload_with(""), other_key),
                   "token_signature"); /* each key for its own name only */
}

struct shared {
        const char *tokens[64];
        _Atomic int failures;
};

static void *verify_many(void *context)
{
        struct shared *shared = context;
        struct rpc_call *own = rpc_call_new_background(NULL, 60000);
        for (int i = 0; i < 4000; i++) {
                struct token_claims found;
                struct arena_mark mark = arena_mark(own->arena);
                bool good = token_verify(own, str_of(shared->tokens[i % 64]), &found) == SN_OK;
                if (good != (i % 4 != 3) || (good && found.epoch != i % 64)) {
                        atomic_fetch_add(&shared->failures, 1);
                }
                token_revoke_session(found.session, 0); /* long over: changes nothing */
                arena_reset(own->arena, mark);
        }
        rpc_call_free(own);
        return NULL;
}

static void threads_verify_side_by_side(void **state)
{
        static struct shared shared;
        pthread_t threads[4];
        for (int i = 0; i < 64; i++) {
                struct token_claims some = claims;
                char *token;
                some.epoch = i;
                memcpy(some.session, session_of(0xdddd0000 + i % 4), UUID_SIZE);
                assert_int_equal(token_sign(call, &some, &token), SN_OK);
                shared.tokens[i] = token;
        }
        token_revoke_session(session_of(0xdddd0003), wall_s + 900);
        for (int i = 0; i < 4; i++) {
                assert_int_equal(pthread_create(&threads[i], NULL, verify_many, &shared), 0);
        }
        for (int i = 0; i < 4; i++) {
                pthread_join(threads[i], NULL);
        }
        assert_int_equal(shared.failures, 0);
}

static void claims_that_are_not_well_formed_are_never_signed(void **state)
{
        struct token_claims bad = claims;
        char *token;
        memcpy(bad.scope, "\",\"x\":\"", 8);
        assert_int_equal(token_sign(call, &bad, &token), SN_INTERNAL);
        bad = claims;
        bad.subject[0] = '"';
        assert_int_equal(token_sign(call, &bad, &token), SN_INTERNAL);
        bad = claims;
        bad.session[0] = '\0';
        assert_int_equal(token_sign(call, &bad, &token), SN_INTERNAL);
}

static int with_keys(void **state)
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
        own_key = key_of(token_key_signer()->private_key);
        other_key = EVP_EC_gen("prime256v1");
        return other_key == NULL;
}

static int without_keys(void **state)
{
        EVP_PKEY_free(own_key);
        EVP_PKEY_free(other_key);
        rpc_call_free(call);
        clock_set_source(NULL);
        return 0;
}

int main(void)
{
        const struct CMUnitTest tests[] = {
            cmocka_unit_test(a_token_carries_its_claims),
            cmocka_unit_test(its_header_is_fixed),
            cmocka_unit_test(openssl_verifies_what_is_signed_here),
            cmocka_unit_test(what_openssl_signs_is_verified_here),
            cmocka_unit_test(the_key_id_is_the_thumbprint_of_rfc_7638),
            cmocka_unit_test(the_same_key_file_gives_the_same_key),
            cmocka_unit_test(text_that_is_no_token_is_refused),
            cmocka_unit_test(nul_bytes_are_refused),
            cmocka_unit_test(padding_and_spare_bits_are_refused),
            cmocka_unit_test(no_signature_is_refused),
            cmocka_unit_test(hs256_with_the_public_key_is_refused),
            cmocka_unit_test(other_algorithms_and_types_are_refused),
            cmocka_unit_test(more_header_members_are_refused),
            cmocka_unit_test(headers_that_are_no_object_are_refused),
            cmocka_unit_test(another_key_is_refused),
            cmocka_unit_test(an_altered_payload_is_refused),
            cmocka_unit_test(every_altered_signature_is_refused),
            cmocka_unit_test(claims_of_others_are_refused),
            cmocka_unit_test(a_token_ends_with_its_time),
            cmocka_unit_test(a_token_from_the_future_is_refused_beyond_a_minute),
            cmocka_unit_test(an_ended_session_is_refused_at_once),
            cmocka_unit_test(a_revocation_lasts_until_its_time),
            cmocka_unit_test(no_revocation_is_lost_among_many),
            cmocka_unit_test(threads_verify_side_by_side),
            cmocka_unit_test(claims_that_are_not_well_formed_are_never_signed),
            cmocka_unit_test(key_sets_with_nothing_usable_are_refused),
            cmocka_unit_test(a_fetched_key_is_trusted_beside_the_others),
        };
        return cmocka_run_group_tests(tests, with_keys, without_keys);
}
