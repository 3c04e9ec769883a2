/* Recovery codes: unique, found in any spelling, and only for their member. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <string.h>
#include <cmocka.h>
#include "services/user/recovery_code.h"
#include "services/user/test_keys.h"

#define ANNA "0192d5d0-7c1e-7abc-8def-0123456789ab"
#define BERT "0192d5d0-7c1e-7abc-8def-ba9876543210"

static void codes_are_unique(void **state)
{
        const char *a = recovery_code_new(arena), *b = recovery_code_new(arena);

        assert_int_equal(strlen(a), 27);
        assert_string_not_equal(a, b);
        assert_int_equal(strspn(a, "abcdefghijkmnpqrstuvwxyz23456789-"), 27);
}

static void spelling_makes_no_difference(void **state)
{
        static const char *const spellings[] = {"ABCDEF-GHJKMN-PQRSTU-VWXYZ2", "abcdefghjkmnpqrstuvwxyz2",
                                                " abcdef ghjkmn pqrstu vwxyz2 "};
        uint8_t hash[RECOVERY_HASH_BYTES], other[RECOVERY_HASH_BYTES];

        assert_true(recovery_code_hash(ANNA, "abcdef-ghjkmn-pqrstu-vwxyz2", hash));
        for (size_t i = 0; i < 3; i++) {
                assert_true(recovery_code_hash(ANNA, spellings[i], other));
                assert_memory_equal(hash, other, sizeof(hash));
        }
        assert_true(recovery_code_hash(BERT, "abcdef-ghjkmn-pqrstu-vwxyz2", other));
        assert_memory_not_equal(hash, other, sizeof(hash));
}

static void invalid_recovery_codes_are_rejected(void **state)
{
        static const char *const none[] = {"",
                                           "123456",
                                           "abcdef-ghjkmn-pqrstu-vwxyz",
                                           "abcdef-ghjkmn-pqrstu-vwxyz22",
                                           "abcdef-ghjkmn-pqrstu-vwxyz0",
                                           "abcdef-ghjkmn-pqrstu-vwxy\xc3\xa4"};
        uint8_t hash[RECOVERY_HASH_BYTES];

        for (size_t i = 0; i < sizeof(none) / sizeof(none[0]); i++) {
                assert_false(recovery_code_hash(ANNA, none[i], hash));
        }
}

int main(void)
{
        const struct CMUnitTest tests[] = {
            cmocka_unit_test(codes_are_unique),
            cmocka_unit_test(spelling_makes_no_difference),
            cmocka_unit_test(invalid_recovery_codes_are_rejected),
        };
        return cmocka_run_group_tests(tests, setup, teardown);
}
