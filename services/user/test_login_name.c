/* Logins: their spellings, and that their hash is specific to this network. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <string.h>
#include <cmocka.h>
#include "services/user/login_name.h"
#include "services/user/test_keys.h"

static void a_name_is_normalized(void **state)
{
        static const char *const names[][2] = {
            {"ada", "ada"},
            {"ADA", "ada"},
            {" ada\n", "ada"},
            {"\u00a0@Ada\u3000", "ada"}, /* pasted */
            {"@ada", "ada"},
            {"＠ada", "@ada"}, /* a wide @ is not removed, and no member has that name */
            {"@@ada", "@ada"},
            {"ada@example.org", "ada@example.org"},
            {" ada@Example.org ", "ada@example.org"},
            {"@ada@bücher.example", "ada@xn--bcher-kva.example"},
            {"ada@XN--BCHER-KVA.EXAMPLE", "ada@xn--bcher-kva.example"},
            {"", ""},
            {" ", ""},
            {"@", ""},
        };

        for (size_t i = 0; i < sizeof(names) / sizeof(names[0]); i++) {
                assert_string_equal(login_name_key(arena, names[i][0]), names[i][1]);
        }
}

static void a_hash_depends_on_the_name_and_the_key_file(void **state)
{
        static const uint8_t other[32] = {43};
        uint8_t ada[LOGIN_HASH_BYTES], again[LOGIN_HASH_BYTES], bert[LOGIN_HASH_BYTES];

        login_name_hash("ada", ada);
        login_name_hash("ada", again);
        login_name_hash("bert", bert);
        assert_memory_equal(ada, again, sizeof(ada));
        assert_memory_not_equal(ada, bert, sizeof(ada));
        keys_set_master(other);
        login_name_hash("ada", again);
        assert_memory_not_equal(ada, again, sizeof(ada));
}

#define TEST(f) cmocka_unit_test_setup_teardown(f, setup, teardown)

int main(void)
{
        const struct CMUnitTest tests[] = {
            TEST(a_name_is_normalized),
            TEST(a_hash_depends_on_the_name_and_the_key_file),
        };

        return cmocka_run_group_tests_name("login names", tests, NULL, NULL);
}
