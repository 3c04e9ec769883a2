/* The words by which messages are found. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <string.h>
#include <cmocka.h>
#include "services/messaging/words.h"

static void check(const char *text, const char *expected)
{
        struct arena *arena = arena_new(1 << 20);
        char **words = NULL, found[1000] = "";
        size_t n = words_of(arena, text, 100, &words);

        for (size_t i = 0; i < n; i++) {
                assert_true(strlen(found) + strlen(words[i]) + 2 < sizeof(found));
                memcpy(found + strlen(found), words[i], strlen(words[i]) + 1);
                memcpy(found + strlen(found), "|", 2);
        }
        assert_string_equal(found, expected);
        arena_free(arena);
}

static void words_are_runs_of_letters_and_numbers_without_case_and_accents(void **state)
{
        check("", "");
        check(" -- !?\n", "");
        check("Hello, World", "hello|world|");
        check("Caf\xc3\xa9 STRASSE Stra\xc3\x9f"
              "e 42",
              "cafe|strasse|strasse|42|");
        check("it's a_b\\c", "it|s|a|b|c|");
}

static void without_spaces_each_character_is_a_word(void **state)
{
        check("\xe6\x9d\xb1\xe4\xba\xac", "\xe6\x9d\xb1|\xe4\xba\xac|");
        check("go\xe6\x9d\xb1"
              "1",
              "go|\xe6\x9d\xb1|1|");
}

/* U+FDFA is eighteen characters once folded. */
static void words_are_bounded(void **state)
{
        struct arena *arena = arena_new(1 << 20);
        char text[8001], **words = NULL;

        memset(text, 'x', sizeof(text) - 1);
        text[8000] = '\0';
        assert_int_equal(words_of(arena, text, 100, &words), 1);
        assert_int_equal(strlen(words[0]), 64);
        for (size_t i = 0; i + 3 <= 8000; i += 3) {
                memcpy(text + i, "\xef\xb7\xba", 3);
        }
        text[7998] = '\0';
        assert_int_equal(words_of(arena, text, 100, &words), 1);
        assert_in_range(strlen(words[0]), 200, 256);
        for (size_t i = 0; i < 8000; i += 2) {
                memcpy(text + i, "a ", 2);
        }
        text[8000] = '\0';
        assert_int_equal(words_of(arena, text, 100, &words), 100);
        arena_free(arena);
}

int main(void)
{
        const struct CMUnitTest tests[] = {
            cmocka_unit_test(words_are_runs_of_letters_and_numbers_without_case_and_accents),
            cmocka_unit_test(without_spaces_each_character_is_a_word),
            cmocka_unit_test(words_are_bounded),
        };

        return cmocka_run_group_tests_name("words", tests, NULL, NULL);
}
