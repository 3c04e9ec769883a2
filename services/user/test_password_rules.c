/* Which passwords are rejected. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <string.h>
#include <cmocka.h>
#include "services/user/password_rules.h"

static const char *refusal(const char *password)
{
        static char code[40];
        struct arena *arena = arena_new(1 << 20);
        struct rpc_call c = {CALL_OF_NOBODY, .arena = arena};

        code[0] = '\0';
        if (password_check(&c, "password", password, "Ada_Lovelace", "countess@example.org") != SN_OK) {
                assert_string_equal(c.problem.field, "password");
                (void)snprintf(code, sizeof(code), "%s", c.problem.code);
        }
        arena_free(arena);
        return code;
}

static void the_most_leaked_passwords_are_rejected_in_any_spelling(void **state)
{
        static const char *const common[] = {"password", "12345678",         "QWERTYUIOP", "iloveyou",    "sunshine",
                                             "Trustno1", "ｐａｓｓｗｏｒｄ", "1qaz2wsx",   "neighborhood"};

        for (size_t i = 0; i < sizeof(common) / sizeof(common[0]); i++) {
                assert_string_equal(refusal(common[i]), "password_common");
        }
}

static void passwords_derived_by_rules_are_rejected(void **state)
{
        static const char *const tried[] = {
            "88888888",           "00000000",         "87654321",         "123123123",        "12341234",  "1111111111",
            "0123456789",         "0987654321",       "aaaaaaaa",         "asdasdasd",        "Passw0rd!", "Password1!",
            "Welcome1!",          "Admin123!",        "password2026",     "        ",         "abcdefgh",  "hgfedcba",
            "7890123456",         "passwordpassword", "1234567812345678", "abcdefghabcdefgh", "zzzzzzzz1", "asdasdasd1",
            "hgfedcba1",          "11111112",         "!Password1",       "123password",      "абвгабвг",  "абвгдежз",
            "你好吗你好吗你好吗", "💜💜💜💜💜💜💜💜"};

        for (size_t i = 0; i < sizeof(tried) / sizeof(tried[0]); i++) {
                assert_string_equal(refusal(tried[i]), "password_common");
        }
}

/* Including the first and the last line. */
static void every_line_of_the_list_is_found(void **state)
{
        extern const char user_common_passwords[];
        struct str rest = str_of(user_common_passwords), line;
        struct arena *arena = arena_new(1 << 24);
        int n = 0;

        while (str_next(&rest, '\n', &line)) {
                if (line.len > 0) {
                        assert_true(password_is_common(str_dup(arena, line)));
                        n++;
                }
        }
        assert_true(n > 20000);
        arena_free(arena);
}

static void the_name_of_the_network_is_rejected_if_known(void **state)
{
        assert_string_equal(refusal("Our Village 1!"), "");
        password_rules_start("Our Village", "village.example");
        assert_string_equal(refusal("Our Village 1!"), "password_guessable");
        assert_string_equal(refusal("VILLAGE.example99"), "password_guessable");
        assert_string_equal(refusal("Our Village has a well"), "");
        password_rules_start("", "");
}

static void a_name_with_little_around_it_is_rejected(void **state)
{
        assert_string_equal(refusal("ada_lovelace"), "password_guessable");
        assert_string_equal(refusal("Ada_Lovelace1!"), "password_guessable");
        assert_string_equal(refusal("countess99"), "password_guessable");
        assert_string_equal(refusal("countess@example.org"), "password_guessable");
}

static void anything_else_is_accepted_whatever_its_composition(void **state)
{
        static const char *const good[] = {"correct horse battery", "ada_lovelace wrote it", "ünüçôdéß", "💜🌲💜🍐💜🐞",
                                           "passwort ohne ende",    "horses1!horses1!",      "abcdefgi", "9753186420"};

        for (size_t i = 0; i < sizeof(good) / sizeof(good[0]); i++) {
                assert_string_equal(refusal(good[i]), "");
        }
        assert_false(password_is_common(""));
        assert_false(password_is_common("\x7f\x7f\x7f\x7f\x7f\x7f\x7f\x7f"));
}

int main(void)
{
        const struct CMUnitTest tests[] = {
            cmocka_unit_test(the_most_leaked_passwords_are_rejected_in_any_spelling),
            cmocka_unit_test(passwords_derived_by_rules_are_rejected),
            cmocka_unit_test(every_line_of_the_list_is_found),
            cmocka_unit_test(a_name_with_little_around_it_is_rejected),
            cmocka_unit_test(the_name_of_the_network_is_rejected_if_known),
            cmocka_unit_test(anything_else_is_accepted_whatever_its_composition),
        };

        return cmocka_run_group_tests(tests, NULL, NULL);
}
