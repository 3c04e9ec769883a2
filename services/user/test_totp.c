/* Time-based codes: the vectors of RFC 6238, the window, single use, and secrets that decrypt only for their member and
 * key file. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <string.h>
#include <cmocka.h>
#include "services/user/test_keys.h"
#include "services/user/totp.h"

#define ANNA "0192d5d0-7c1e-7abc-8def-0123456789ab"
#define BERT "0192d5d0-7c1e-7abc-8def-ba9876543210"

static const uint8_t seed[] = "12345678901234567890"; /* RFC 6238, appendix B */
#define NOW_MS INT64_C(1111111111000)

static void codes_are_those_of_rfc_6238(void **state)
{
        static const struct {
                int64_t at_s;
                const char *code;
        } vectors[] = {{59, "94287082"},         {1111111109, "07081804"}, {1111111111, "14050471"},
                       {1234567890, "89005924"}, {2000000000, "69279037"}, {20000000000, "65353130"}};

        for (size_t i = 0; i < sizeof(vectors) / sizeof(vectors[0]); i++) {
                char code[9];
                assert_true(totp_code(seed, TOTP_SEED_BYTES, vectors[i].at_s / TOTP_STEP_S, 8, code));
                assert_string_equal(code, vectors[i].code);
        }
}

static bool is_taken(int64_t step, int64_t used_step)
{
        char code[TOTP_DIGITS + 1];
        int64_t found = 0;

        assert_true(totp_code(seed, TOTP_SEED_BYTES, step, TOTP_DIGITS, code));
        bool taken = totp_check(seed, code, NOW_MS, used_step, &found);
        assert_true(!taken || found == step);
        return taken;
}

static void a_code_is_valid_in_its_step_and_those_before_and_after(void **state)
{
        int64_t now = NOW_MS / 1000 / TOTP_STEP_S;

        assert_false(is_taken(now - 2, 0));
        assert_true(is_taken(now - 1, 0));
        assert_true(is_taken(now, 0));
        assert_true(is_taken(now + 1, 0));
        assert_false(is_taken(now + 2, 0));
}

static void a_code_works_once_and_invalidates_earlier_ones(void **state)
{
        int64_t now = NOW_MS / 1000 / TOTP_STEP_S;

        assert_false(is_taken(now, now));
        assert_false(is_taken(now - 1, now));
        assert_true(is_taken(now + 1, now));
}

static void malformed_codes_are_rejected(void **state)
{
        static const char *const none[] = {"", "0", "00000", "0000000", "05047 ", "a50471", "０５０４７１"};
        int64_t step;

        for (size_t i = 0; i < sizeof(none) / sizeof(none[0]); i++) {
                assert_false(totp_check(seed, none[i], NOW_MS, 0, &step));
        }
}

static void a_seed_decrypts_only_for_its_member_and_key_file(void **state)
{
        static const uint8_t other_key[32] = {7};
        uint8_t sealed[TOTP_SEALED_BYTES], again[TOTP_SEALED_BYTES], opened[TOTP_SEED_BYTES];

        totp_seal(ANNA, seed, sealed);
        totp_seal(ANNA, seed, again);
        assert_memory_not_equal(sealed, again, sizeof(sealed));
        assert_true(totp_unseal(ANNA, sealed, sizeof(sealed), opened));
        assert_memory_equal(opened, seed, sizeof(opened));
        assert_false(totp_unseal(BERT, sealed, sizeof(sealed), opened));
        assert_false(totp_unseal(ANNA, sealed, sizeof(sealed) - 1, opened));
        for (size_t i = 0; i < sizeof(sealed); i++) {
                sealed[i] ^= 1;
                assert_false(totp_unseal(ANNA, sealed, sizeof(sealed), opened));
                sealed[i] ^= 1;
        }
        keys_set_master(other_key);
        assert_false(totp_unseal(ANNA, sealed, sizeof(sealed), opened));
}

static void apps_read_the_seed(void **state)
{
        const char *text = totp_text(arena, seed);

        assert_string_equal(text, "GEZDGNBVGY3TQOJQGEZDGNBVGY3TQOJQ"); /* RFC 4648 */
        assert_string_equal(totp_uri(arena, "social.example", "ada", text),
                            "otpauth://totp/social.example:ada?secret=GEZDGNBVGY3TQOJQGEZDGNBVGY3TQOJQ"
                            "&issuer=social.example&algorithm=SHA1&digits=6&period=30");
}

int main(void)
{
        const struct CMUnitTest tests[] = {
            cmocka_unit_test(codes_are_those_of_rfc_6238),
            cmocka_unit_test(a_code_is_valid_in_its_step_and_those_before_and_after),
            cmocka_unit_test(a_code_works_once_and_invalidates_earlier_ones),
            cmocka_unit_test(malformed_codes_are_rejected),
            cmocka_unit_test(a_seed_decrypts_only_for_its_member_and_key_file),
            cmocka_unit_test(apps_read_the_seed),
        };
        return cmocka_run_group_tests(tests, setup, teardown);
}
