/* The keys by which members are found, and those of a search. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <string.h>
#include <cmocka.h>
#include "base/str.h"
#include "services/user/name_keys.h"

static struct arena *arena;

static int setup(void **state)
{
        arena = arena_new(1 << 20);
        return arena == NULL;
}

static int teardown(void **state)
{
        arena_free(arena);
        return 0;
}

static const char *joined(const char *display_name)
{
        char *keys[NAME_KEYS_MAX];
        size_t n = name_keys(arena, display_name, keys);
        char *text = arena_strdup(arena, "");

        for (size_t i = 0; i < n; i++) {
                text = arena_printf(arena, "%s%s%s", text, i > 0 ? "|" : "", keys[i]);
        }
        return text;
}

static void a_name_is_found_by_the_start_of_each_word(void **state)
{
        static const char *const names[][2] = {
            {"Ada King", "ada king|king"},
            {"  Ada   King ", "ada king|king"},
            {"Jean-Luc O'Neil", "jean-luc o'neil|luc o'neil|o'neil|neil"},
            {"✨Zoë✨", "zoë✨"},
            {"山田\u3000太郎", "山田 太郎|太郎"},
            {"Ａｄａ", "ada"},
            {"STRASSE Straße", "strasse strasse|strasse"},
            {"e\u0301va", "éva"},
            {"snake_case", "snake_case"},
            {"🎈🎈", ""},
            {"", ""},
        };

        for (size_t i = 0; i < sizeof(names) / sizeof(names[0]); i++) {
                assert_string_equal(joined(names[i][0]), names[i][1]);
        }
}

static void keys_are_limited_in_number_and_length(void **state)
{
        char many[201], *keys[NAME_KEYS_MAX];

        for (int i = 0; i < 100; i++) {
                memcpy(many + 2 * i, "a ", 3);
        }
        assert_int_equal(name_keys(arena, many, keys), NAME_KEYS_MAX);
        assert_int_equal(utf8_length(keys[0], strlen(keys[0])), NAME_KEY_MAX);
        assert_int_equal(name_keys(arena, "\uFDFA\uFDFA\uFDFA\uFDFA\uFDFA\uFDFA", keys),
                         NAME_KEYS_MAX); /* 18 letters each */
        assert_int_equal(utf8_length(keys[0], strlen(keys[0])), NAME_KEY_MAX);
}

static void a_query_is_folded_like_the_names(void **state)
{
        static const char *const queries[][2] = {
            {"@Ada", "ada"}, {" @ADA ", "ada"}, {"Ada  K", "ada k"},         {"ＡＤＡ", "ada"},
            {"@", ""},       {"   ", ""},       {"山田\u3000太", "山田 太"}, {"%_\\", "%_\\"},
        };

        for (size_t i = 0; i < sizeof(queries) / sizeof(queries[0]); i++) {
                assert_string_equal(name_query_key(arena, queries[i][0]), queries[i][1]);
        }
}

#define TEST(f) cmocka_unit_test_setup_teardown(f, setup, teardown)

int main(void)
{
        const struct CMUnitTest tests[] = {
            TEST(a_name_is_found_by_the_start_of_each_word),
            TEST(keys_are_limited_in_number_and_length),
            TEST(a_query_is_folded_like_the_names),
        };

        return cmocka_run_group_tests_name("name keys", tests, NULL, NULL);
}
