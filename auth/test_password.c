/* Passwords are hashed as documented in the header. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <cmocka.h>

#include <string.h>

#include "auth/password.h"

static struct rpc_call *call;

static char *hash_of(const char *password)
{
        char *hash;
        assert_int_equal(password_hash(call, password, &hash), SN_OK);
        return hash;
}

static void the_hash_is_argon2id_with_the_recommended_cost(void **state)
{
        char *hash = hash_of("correct horse");
        assert_int_equal(strncmp(hash, "$argon2id$v=19$m=19456,t=2,p=1$", 31), 0);
        assert_string_not_equal(hash_of("correct horse"), hash); /* salted */
}

static void only_the_right_password_matches(void **state)
{
        char *hash = hash_of("correct horse");
        assert_true(password_verify(hash, "correct horse"));
        assert_false(password_verify(hash, "correct horsf"));
        assert_false(password_verify(hash, "correct horse "));
        assert_false(password_verify(hash, ""));
}

static void the_same_password_matches_in_any_composition(void **state)
{
        char *hash = hash_of("cafe\u0301 \u1112\u1161\u11ab");
        assert_true(password_verify(hash, "caf\u00e9 \ud55c"));
        assert_false(password_verify(hash, "cafe \ud55c"));
        assert_false(password_verify(hash, "CAF\u00c9 \ud55c")); /* case still matters */
        assert_false(password_verify(hash_of("ﬁ-ligature"), "fi-ligature"));
}

static void the_longest_password_is_not_truncated(void **state)
{
        char password[4 * 256 + 1] = "";
        for (int i = 0; i < 256; i++) {
                memcpy(password + 4 * i, "😀", 5);
        }
        char *hash = hash_of(password);
        assert_true(password_verify(hash, password));
        memcpy(password + 4 * 255, "😁", 4);
        assert_false(password_verify(hash, password));
}

static void an_empty_hash_matches_no_password(void **state)
{
        assert_false(password_verify("", ""));
        assert_false(password_verify("", "correct horse"));
}

static void a_malformed_hash_matches_nothing(void **state)
{
        char hash[400];
        assert_false(password_verify("$argon2id$v=19$m=19456,t=2,p=1$", ""));
        assert_false(password_verify("plain", "plain"));
        memset(hash, 'a', sizeof(hash));
        hash[sizeof(hash) - 1] = '\0';
        assert_false(password_verify(hash, "a"));
}

static int with_call(void **state)
{
        call = rpc_call_new_background(NULL, 60000);
        return 0;
}

static int without_call(void **state)
{
        rpc_call_free(call);
        return 0;
}

int main(void)
{
        const struct CMUnitTest tests[] = {
            cmocka_unit_test(the_hash_is_argon2id_with_the_recommended_cost),
            cmocka_unit_test(only_the_right_password_matches),
            cmocka_unit_test(the_same_password_matches_in_any_composition),
            cmocka_unit_test(the_longest_password_is_not_truncated),
            cmocka_unit_test(an_empty_hash_matches_no_password),
            cmocka_unit_test(a_malformed_hash_matches_nothing),
        };
        return cmocka_run_group_tests(tests, with_call, without_call);
}
