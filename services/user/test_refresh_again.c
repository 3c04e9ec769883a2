/* A client's key and an encrypted token belong to one session (and generation) only. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <string.h>
#include <cmocka.h>
#include "services/user/refresh_again.h"
#include "services/user/test_keys.h"

static struct session session_of(uint8_t salt)
{
        struct session session = {.salt = {salt}};

        uuid_new(session.id);
        return session;
}

static void a_key_belongs_to_one_session(void **state)
{
        struct session mine = session_of(1), other = mine;
        char *key = client_key_make(arena, &mine);

        other.salt[15] = 1;
        assert_true(client_key_is(key, &mine));
        assert_false(client_key_is(key, &other));
        assert_false(client_key_is(client_key_make(arena, &other), &mine));
        uuid_new(other.id);
        assert_string_not_equal(client_key_make(arena, &other), key);
        assert_false(client_key_is("", &mine));
        assert_false(client_key_is("not base64url!", &mine));
        key[3] = key[3] == 'A' ? 'B' : 'A';
        assert_false(client_key_is(key, &mine));
}

static void an_encrypted_token_decrypts_only_for_its_session_and_generation(void **state)
{
        struct session mine = session_of(2), other = session_of(2);
        size_t len = 0;
        uint8_t *sealed = refresh_again_seal(arena, &mine, 7, "a.b.c", &len);

        assert_string_equal(refresh_again_open(arena, &mine, 7, sealed, len), "a.b.c");
        assert_null(refresh_again_open(arena, &mine, 8, sealed, len));
        assert_null(refresh_again_open(arena, &other, 7, sealed, len));
        assert_null(refresh_again_open(arena, &mine, 7, sealed, len - 1));
        assert_null(refresh_again_open(arena, &mine, 7, sealed, 0));
        assert_null(memmem(sealed, len, "a.b.c", 5));
        sealed[len - 1] ^= 1;
        assert_null(refresh_again_open(arena, &mine, 7, sealed, len));
}

int main(void)
{
        const struct CMUnitTest tests[] = {
            cmocka_unit_test(a_key_belongs_to_one_session),
            cmocka_unit_test(an_encrypted_token_decrypts_only_for_its_session_and_generation),
        };

        return cmocka_run_group_tests_name("refresh again", tests, setup, teardown);
}
