/* Short tokens: their data, expiry and purpose, and that no bit can be changed. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <string.h>
#include <cmocka.h>
#include "services/user/short_token.h"
#include "services/user/test_keys.h"

#define ANNA   "0192d5d0-7c1e-7abc-8def-0123456789ab"
#define DEVICE "0192d5d0-7c1e-7abc-8def-ba9876543210"
#define NOW_MS INT64_C(1700000000000)

static void it_contains_its_data(void **state)
{
        struct short_token token = {.user = ANNA, .device = DEVICE, .epoch = 7}, read;

        const char *text = short_token_make(arena, "a", NOW_MS, &token);
        assert_true(short_token_read(text, "a", NOW_MS, &read));
        assert_string_equal(read.id, token.id);
        assert_string_equal(read.user, ANNA);
        assert_string_equal(read.device, DEVICE);
        assert_int_equal(read.epoch, 7);
        assert_int_equal(read.expires_s, NOW_MS / 1000 + SHORT_TOKEN_LIFE_S);
        token = (struct short_token){0};
        assert_true(short_token_read(short_token_make(arena, "a", NOW_MS, &token), "a", NOW_MS, &read));
        assert_string_equal(read.user, "");
        assert_string_equal(read.device, "");
}

static void it_expires_after_five_minutes(void **state)
{
        struct short_token token = {.user = ANNA};
        const char *text = short_token_make(arena, "a", NOW_MS, &token);

        assert_true(short_token_read(text, "a", NOW_MS + 299000, &token));
        assert_false(short_token_read(text, "a", NOW_MS + 300000, &token));
}

static void it_serves_one_purpose(void **state)
{
        struct short_token token = {.user = ANNA};

        assert_false(short_token_read(short_token_make(arena, "a", NOW_MS, &token), "b", NOW_MS, &token));
}

static void foreign_tokens_are_rejected(void **state)
{
        struct short_token token = {.user = ANNA};
        char *text = short_token_make(arena, "a", NOW_MS, &token);

        for (size_t i = 0; i < strlen(text); i++) {
                char kept = text[i];
                text[i] = kept == 'A' ? 'B' : 'A';
                assert_false(short_token_read(text, "a", NOW_MS, &token));
                text[i] = kept;
        }
        assert_true(short_token_read(text, "a", NOW_MS, &token));
        assert_false(short_token_read(arena_printf(arena, "%sA", text), "a", NOW_MS, &token));
        text[strlen(text) - 1] = '\0';
        assert_false(short_token_read(text, "a", NOW_MS, &token));
        assert_false(short_token_read("", "a", NOW_MS, &token));
}

int main(void)
{
        const struct CMUnitTest tests[] = {
            cmocka_unit_test(it_contains_its_data),
            cmocka_unit_test(it_expires_after_five_minutes),
            cmocka_unit_test(it_serves_one_purpose),
            cmocka_unit_test(foreign_tokens_are_rejected),
        };
        return cmocka_run_group_tests(tests, setup, teardown);
}
