/* Refresh tokens: issued ones are recognised, and nothing else. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <string.h>
#include <cmocka.h>
#include "auth/base64url.h"
#include "services/user/refresh_token.h"
#include "services/user/test_keys.h"

#define SESSION "018f0000-0000-7000-8000-00000000000a"
#define OTHER   "018f0000-0000-7000-8000-00000000000b"
#define BYTES   52 /* session, generation, MAC */

static const uint8_t salt[REFRESH_SALT_BYTES] = {1, 2, 3, 4, 5, 6, 7, 8, 9, 10, 11, 12, 13, 14, 15, 16};

static bool issued(const char *text, const uint8_t *with)
{
        struct refresh_token token;

        return refresh_token_parse(text, &token) && refresh_token_issued(&token, with, REFRESH_SALT_BYTES);
}

static void issued_tokens_are_recognised_with_session_and_generation(void **state)
{
        const uint32_t generations[] = {1, 2, 255, 256, 65536, 0x7fffffff, 0xffffffff};
        struct refresh_token token;

        for (size_t i = 0; i < sizeof(generations) / sizeof(generations[0]); i++) {
                char *text = refresh_token_make(arena, SESSION, generations[i], salt);

                assert_int_equal(strlen(text), BASE64URL_CHARS(BYTES));
                assert_true(refresh_token_parse(text, &token));
                assert_string_equal(token.session, SESSION);
                assert_int_equal(token.generation, generations[i]);
                assert_true(refresh_token_issued(&token, salt, sizeof(salt)));
        }
}

static void each_session_and_generation_has_its_own_token(void **state)
{
        char *first = refresh_token_make(arena, SESSION, 1, salt);

        assert_string_equal(first, refresh_token_make(arena, SESSION, 1, salt));
        assert_string_not_equal(first, refresh_token_make(arena, SESSION, 2, salt));
        assert_string_not_equal(first, refresh_token_make(arena, OTHER, 1, salt));
}

/* Every bit counts: flipping any makes it malformed or a forgery. */
static void an_altered_token_is_rejected(void **state)
{
        char *text = refresh_token_make(arena, SESSION, 7, salt);
        uint8_t bytes[BYTES];
        size_t len = 0;

        assert_true(base64url_decode(str_of(text), bytes, sizeof(bytes), &len));
        assert_int_equal(len, BYTES);
        for (size_t bit = 0; bit < 8 * BYTES; bit++) {
                char altered[BASE64URL_CHARS(BYTES) + 1];

                bytes[bit / 8] ^= (uint8_t)(1 << bit % 8);
                assert_false(issued(base64url_encode(bytes, BYTES, altered), salt));
                bytes[bit / 8] ^= (uint8_t)(1 << bit % 8);
        }
        assert_true(issued(text, salt));
}

/* The holder of a token for one generation or session cannot create one for another. */
static void a_mac_is_useless_elsewhere(void **state)
{
        struct refresh_token token;

        assert_true(refresh_token_parse(refresh_token_make(arena, SESSION, 1, salt), &token));
        token.generation = 2;
        assert_false(refresh_token_issued(&token, salt, sizeof(salt)));
        token.generation = 1;
        memcpy(token.session, OTHER, sizeof(OTHER));
        assert_false(refresh_token_issued(&token, salt, sizeof(salt)));
}

/* Neither a stolen database nor a stolen key file is enough to create tokens. */
static void forging_requires_the_salt_and_the_key(void **state)
{
        static const uint8_t other_master[32] = {43};
        char *text = refresh_token_make(arena, SESSION, 1, salt);
        uint8_t other_salt[REFRESH_SALT_BYTES];
        struct refresh_token token;

        memcpy(other_salt, salt, sizeof(salt));
        other_salt[15] ^= 1;
        assert_false(issued(text, other_salt));
        assert_true(refresh_token_parse(text, &token));
        assert_false(refresh_token_issued(&token, salt, sizeof(salt) - 1));
        assert_false(refresh_token_issued(&token, NULL, 0));
        keys_set_master(other_master);
        assert_false(issued(text, salt));
}

static void an_invented_mac_is_rejected(void **state)
{
        struct refresh_token token = {.session = SESSION, .generation = 1};

        assert_false(refresh_token_issued(&token, salt, sizeof(salt)));
        memset(token.mac, 0xff, sizeof(token.mac));
        assert_false(refresh_token_issued(&token, salt, sizeof(salt)));
}

static void garbage_is_not_a_token(void **state)
{
        char *text = refresh_token_make(arena, SESSION, 1, salt);

        assert_non_null(text);
        const char *const rubbish[] = {
            "",
            "=",
            "not a token",
            "AAAA",
            arena_printf(arena, "%s=", text),
            arena_printf(arena, "%sA", text),
            arena_printf(arena, "%sAAAA", text),
            arena_printf(arena, " %s", text),
            arena_printf(arena, "%s\n", text),
            arena_strndup(arena, text, strlen(text) - 1),
            arena_strndup(arena, text, strlen(text) - 4),
            arena_printf(arena, "%s+/", arena_strndup(arena, text, strlen(text) - 2)),
            "eyJhbGciOiJub25lIn0.eyJzdWIiOiJtZSJ9.",
            "\xff\xfe\xfd",
        };
        struct refresh_token token;

        for (size_t i = 0; i < sizeof(rubbish) / sizeof(rubbish[0]); i++) {
                if (refresh_token_parse(rubbish[i], &token)) {
                        fail_msg("«%s» was taken", rubbish[i]);
                }
        }
}

#define TEST(f) cmocka_unit_test_setup_teardown(f, setup, teardown)

int main(void)
{
        const struct CMUnitTest tests[] = {
            TEST(issued_tokens_are_recognised_with_session_and_generation),
            TEST(each_session_and_generation_has_its_own_token),
            TEST(an_altered_token_is_rejected),
            TEST(a_mac_is_useless_elsewhere),
            TEST(forging_requires_the_salt_and_the_key),
            TEST(an_invented_mac_is_rejected),
            TEST(garbage_is_not_a_token),
        };

        return cmocka_run_group_tests_name("refresh token", tests, NULL, NULL);
}
