/* Signing tokens for members, and their expiry. */
#include "auth/test_token_tools.h"

#include <jansson.h>

static void a_token_contains_its_claims(void **state)
{
        struct token_claims found;
        const char *token = fresh_token();
        for (int i = 0; i < 2; i++) { /* verified, then cached */
                memset(&found, 0xff, sizeof(found));
                assert_int_equal(token_verify(call, str_of(token), &found), SN_OK);
                assert_string_equal(found.subject, claims.subject);
                assert_string_equal(found.session, claims.session);
                assert_string_equal(found.scope, claims.scope);
                assert_int_equal(found.epoch, 3);
                assert_int_equal(found.auth_time_s, NOW_S - 60);
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

static void openssl_signatures_are_verified_here(void **state)
{
        for (int i = 0; i < 300; i++) {
                struct arena_mark mark = arena_mark(call->arena);
                char more[32];
                snprintf(more, sizeof(more), ",\"jti\":%d", i); /* so that none is cached */
                is_taken(token_of(good_header(), payload_with(more), own_key));
                arena_reset(call->arena, mark);
        }
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

static void a_token_expires(void **state)
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

static void a_token_from_more_than_a_minute_in_the_future_is_rejected(void **state)
{
        char *soon = with(payload_with(""), "\"nbf\":1790000000", "\"nbf\":1790000060");
        char *later = with(payload_with(""), "\"nbf\":1790000000", "\"nbf\":1790000061");
        is_taken(token_of(good_header(), soon, own_key));
        is_refused(token_of(good_header(), later, own_key), "token_not_yet_valid");
}

/* The signature and everything else is valid: only the time decides. */
static void an_expired_token_with_our_own_key_is_rejected(void **state)
{
        static const char *const over[] = {"1790000000", "1789999999", "1789996400", "1", "0", "-1"};
        const char *good = payload_with("");
        for (size_t i = 0; i < sizeof(over) / sizeof(over[0]); i++) {
                char *payload = with(good, "\"exp\":1790000900", arena_printf(call->arena, "\"exp\":%s", over[i]));
                payload =
                    with(payload, "\"iat\":1790000000,\"nbf\":1790000000", "\"iat\":1789990000,\"nbf\":1789990000");
                is_refused(token_of(good_header(), payload, own_key), "token_expired");
        }
        is_taken(token_of(good_header(), with(good, "\"exp\":1790000900", "\"exp\":1790000001"), own_key));
}

int main(void)
{
        const struct CMUnitTest tests[] = {
            cmocka_unit_test(a_token_contains_its_claims),
            cmocka_unit_test(its_header_is_fixed),
            cmocka_unit_test(openssl_verifies_what_is_signed_here),
            cmocka_unit_test(openssl_signatures_are_verified_here),
            cmocka_unit_test(claims_that_are_not_well_formed_are_never_signed),
            cmocka_unit_test(a_token_expires),
            cmocka_unit_test(a_token_from_more_than_a_minute_in_the_future_is_rejected),
            cmocka_unit_test(an_expired_token_with_our_own_key_is_rejected),
        };
        return cmocka_run_group_tests(tests, with_keys, without_keys);
}
