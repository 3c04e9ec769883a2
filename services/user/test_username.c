/* Usernames: which ones are equal, and which are reserved. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <string.h>
#include <cmocka.h>
#include "services/user/username.h"

static struct rpc_call *c;

static int setup(void **state)
{
        c = rpc_call_new_background(NULL, 10000);
        return 0;
}

static int teardown(void **state)
{
        rpc_call_free_p(&c);
        return 0;
}

static void names_that_look_alike_have_one_key(void **state)
{
        static const char *const same[][2] = {
            {"alice", "alice"},
            {"ALICE", "alice"},
            {"Alice_9", "alice_9"},
            {"\xef\xbc\xa1lice", "alice"}, /* a wide A */
            {"ﬁsh", "fish"},               /* a ligature */
            {"Stra\xc3\x9f"
             "e@Example.org",
             "strasse@example.org"},       /* e-mail addresses have keys too */
            {"e\xcc\x81va", "\xc3\xa9va"}, /* composed or not */
        };

        for (size_t i = 0; i < sizeof(same) / sizeof(same[0]); i++) {
                assert_string_equal(username_key(c->arena, same[i][0]), same[i][1]);
        }
}

static void a_key_is_its_own_key(void **state)
{
        static const char *const names[] = {"Ann", "\xef\xbc\xa1lice", "x_Y_9", "\xc4\xb0stanbul"};

        for (size_t i = 0; i < sizeof(names) / sizeof(names[0]); i++) {
                char *key = username_key(c->arena, names[i]);

                assert_string_equal(username_key(c->arena, key), key);
        }
}

static void a_name_is_found_with_a_leading_at_sign(void **state)
{
        static const char *const shown[] = {"@Ada", "Ada",
                                            ("\xef\xbc\xa0"
                                             "ada")};

        for (size_t i = 0; i < sizeof(shown) / sizeof(shown[0]); i++) {
                assert_string_equal(username_key_shown(c->arena, shown[i]), "ada");
        }
        assert_string_equal(username_key_shown(c->arena, "@@ada"), "@ada");
        assert_string_equal(username_key_shown(c->arena, "@"), "");
}

static void different_names_have_different_keys(void **state)
{
        assert_string_not_equal(username_key(c->arena, "ann"), username_key(c->arena, "anne"));
        assert_string_not_equal(username_key(c->arena, "a_b"), username_key(c->arena, "ab"));
}

/* The dispatcher has already checked texts; this must only not crash or lose the name. */
static void invalid_utf8_is_left_unchanged(void **state)
{
        assert_string_equal(username_key(c->arena, "a\xff"), "a\xff");
        assert_string_equal(username_key(c->arena, ""), "");
}

static void reserved_names_are_rejected_in_any_spelling(void **state)
{
        static const char *const taken[] = {"me",         "ME",         "Admin",     "\xef\xbc\xad\xef\xbc\xa5",
                                            "sonet",      "api",        "undefined", "null",
                                            "mod",        "Moderators", "OFFICIAL",  "abuse",
                                            "postmaster", "webmaster"};

        for (size_t i = 0; i < sizeof(taken) / sizeof(taken[0]); i++) {
                c->problem = (struct rpc_problem){0};
                if (username_check_free(c, username_key(c->arena, taken[i])) != SN_INVALID_ARGUMENT) {
                        fail_msg("%s is free", taken[i]);
                }
                assert_string_equal(c->problem.code, "username_reserved");
                assert_string_equal(c->problem.field, "username");
        }
}

static void all_other_names_are_available(void **state)
{
        static const char *const names[] = {"m",      "mea",   "administrators", "admin_",    "_me",
                                            "sonet1", "alice", "mods",           "unofficial"};

        for (size_t i = 0; i < sizeof(names) / sizeof(names[0]); i++) {
                assert_int_equal(username_check_free(c, username_key(c->arena, names[i])), SN_OK);
        }
}

#define TEST(f) cmocka_unit_test_setup_teardown(f, setup, teardown)

int main(void)
{
        const struct CMUnitTest tests[] = {
            TEST(names_that_look_alike_have_one_key),     TEST(a_key_is_its_own_key),
            TEST(a_name_is_found_with_a_leading_at_sign), TEST(different_names_have_different_keys),
            TEST(invalid_utf8_is_left_unchanged),         TEST(reserved_names_are_rejected_in_any_spelling),
            TEST(all_other_names_are_available),
        };

        return cmocka_run_group_tests_name("username", tests, NULL, NULL);
}
