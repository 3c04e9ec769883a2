/* Which access tokens are accepted: forged, altered and foreign ones are not. */
#include "auth/test_token_tools.h"

#include <openssl/hmac.h>

static void text_that_is_not_a_token_is_rejected(void **state)
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

static void nul_bytes_are_rejected(void **state)
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

static void padding_and_spare_bits_are_rejected(void **state)
{
        char *token = fresh_token();
        size_t last = strlen(token) - 1;
        is_refused(arena_printf(call->arena, "%s=", token), "token_malformed");
        is_refused(arena_printf(call->arena, "%s==", token), "token_malformed");
        /* 86 characters have four spare bits: only A, Q, g and w leave them zero. */
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

static void a_missing_signature_is_rejected(void **state)
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

static void hs256_with_the_public_key_is_rejected(void **state)
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
                   "token_algorithm"); /* with the length of ours */
}

static void other_algorithms_and_types_are_rejected(void **state)
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

static void additional_header_members_are_rejected(void **state)
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

static void headers_that_are_not_objects_are_rejected(void **state)
{
        static const char *const headers[] = {
            "null", "[]", "\"\"", "{", "{}}", "ES256", "", " ", "[[[[[[[[[[[[[[[[[[[["};
        for (size_t i = 0; i < sizeof(headers) / sizeof(headers[0]); i++) {
                is_refused(token_of(headers[i], payload_with(""), own_key), "token_malformed");
        }
}

static void another_key_is_rejected(void **state)
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

static void an_altered_payload_is_rejected(void **state)
{
        const char *token = token_of(good_header(), payload_with(""), own_key);
        const char *first = strchr(token, '.'), *second = strrchr(token, '.');
        const char *payload = with(payload_with(""), "\"read\"", "\"admin\"");
        is_taken(token);
        is_refused(arena_printf(call->arena, "%.*s.%s%s", (int)(first - token), token, encode(payload, strlen(payload)),
                                second),
                   "token_signature");
}

static void every_altered_signature_is_rejected(void **state)
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

static void claims_of_other_issuers_are_rejected(void **state)
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

int main(void)
{
        const struct CMUnitTest tests[] = {
            cmocka_unit_test(text_that_is_not_a_token_is_rejected),
            cmocka_unit_test(nul_bytes_are_rejected),
            cmocka_unit_test(padding_and_spare_bits_are_rejected),
            cmocka_unit_test(a_missing_signature_is_rejected),
            cmocka_unit_test(hs256_with_the_public_key_is_rejected),
            cmocka_unit_test(other_algorithms_and_types_are_rejected),
            cmocka_unit_test(additional_header_members_are_rejected),
            cmocka_unit_test(headers_that_are_not_objects_are_rejected),
            cmocka_unit_test(another_key_is_rejected),
            cmocka_unit_test(an_altered_payload_is_rejected),
            cmocka_unit_test(every_altered_signature_is_rejected),
            cmocka_unit_test(claims_of_other_issuers_are_rejected),
        };
        return cmocka_run_group_tests(tests, with_keys, without_keys);
}
