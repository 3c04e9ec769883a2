/* Which key signs, and which are trusted: our own, named by its thumbprint, and those of a usable key set.
 */
#include "auth/test_token_tools.h"

#include <jansson.h>
#include <openssl/sha.h>

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

static void the_same_key_file_yields_the_same_key(void **state)
{
        const char *before = arena_strdup(call->arena, token_jwks());
        const char *token = fresh_token();
        assert_int_equal(token_signer_setup(), SN_OK);
        assert_string_equal(token_jwks(), before);
        is_taken(token);
}

static void key_sets_without_a_usable_key_are_rejected(void **state)
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

static void a_fetched_key_is_trusted_in_addition_to_the_others(void **state)
{
        /* Last: trusted keys stay trusted. */
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
                   "token_signature"); /* each key only for its own ID */
}

int main(void)
{
        const struct CMUnitTest tests[] = {
            cmocka_unit_test(the_key_id_is_the_thumbprint_of_rfc_7638),
            cmocka_unit_test(the_same_key_file_yields_the_same_key),
            cmocka_unit_test(key_sets_without_a_usable_key_are_rejected),
            cmocka_unit_test(a_fetched_key_is_trusted_in_addition_to_the_others),
        };
        return cmocka_run_group_tests(tests, with_keys, without_keys);
}
