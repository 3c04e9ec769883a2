/* Device tokens: tokens issued for a member are recognised for that member, and nothing else. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <string.h>
#include <cmocka.h>
#include "services/user/device_token.h"
#include "services/user/test_keys.h"

#define ADA    "018f0000-0000-7000-8000-00000000000a"
#define BERT   "018f0000-0000-7000-8000-00000000000b"
#define DEVICE "018f0000-0000-7000-8000-0000000000dd"

static char device[UUID_SIZE];

static int setup_device(void **state)
{
        memset(device, 0, sizeof(device));
        return setup(state);
}

static void a_token_identifies_the_device_of_its_member(void **state)
{
        char *token = device_token_make(arena, ADA, DEVICE);

        assert_true(device_token_read(token, ADA, device));
        assert_string_equal(device, DEVICE);
        assert_string_equal(token, device_token_make(arena, ADA, DEVICE)); /* it does not change */
}

static void a_token_is_invalid_for_another_member(void **state)
{
        assert_false(device_token_read(device_token_make(arena, ADA, DEVICE), BERT, device));
        assert_string_equal(device, "");
}

static void every_other_text_is_rejected(void **state)
{
        char *token = device_token_make(arena, ADA, DEVICE);
        static const char *const others[] = {"", "x", "AAAA", "device", "=="};

        for (size_t i = 0; i < sizeof(others) / sizeof(others[0]); i++) {
                assert_false(device_token_read(others[i], ADA, device));
        }
        for (size_t i = 0; i < strlen(token); i++) {
                char *altered = arena_strdup(arena, token);

                altered[i] = altered[i] == 'A' ? 'B' : 'A';
                assert_false(device_token_read(altered, ADA, device));
        }
        assert_false(device_token_read(arena_printf(arena, "%sA", token), ADA, device));
        assert_false(device_token_read(token, "", device));
}

static void tokens_of_another_key_file_are_rejected(void **state)
{
        static const uint8_t master[32] = {43};
        char *token = device_token_make(arena, ADA, DEVICE);

        keys_set_master(master);
        assert_false(device_token_read(token, ADA, device));
}

#define TEST(f) cmocka_unit_test_setup_teardown(f, setup_device, teardown)

int main(void)
{
        const struct CMUnitTest tests[] = {
            TEST(a_token_identifies_the_device_of_its_member),
            TEST(a_token_is_invalid_for_another_member),
            TEST(every_other_text_is_rejected),
            TEST(tokens_of_another_key_file_are_rejected),
        };

        return cmocka_run_group_tests_name("device tokens", tests, NULL, NULL);
}
