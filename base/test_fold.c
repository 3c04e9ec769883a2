/* How names are folded and characters are classified. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <string.h>
#include <cmocka.h>

#include "base/arena.h"
#include "base/text.h"

static void fold_is(struct arena *arena, const char *text, const char *expected)
{
        assert_string_equal(text_casefold_nfkc(arena, text), expected);
}

static void case_width_and_composition_do_not_matter(void **state)
{
        struct arena *arena = *state;
        fold_is(arena, "", "");
        fold_is(arena, "Alice_01", "alice_01");
        fold_is(arena, "Ａｌｉｃｅ", "alice");
        fold_is(arena, "E\u0301te\u0301", "\u00e9t\u00e9");
        fold_is(arena, "Straße", "strasse");
        fold_is(arena, "ΣΊΣΥΦΟΣ", "σίσυφοσ");
        fold_is(arena, "ｶﾞｷﾞ", "ガギ");
        fold_is(arena, "ﬁn", "fin");
}

static void invisible_characters_do_not_make_another_name(void **state)
{
        struct arena *arena = *state;
        fold_is(arena, "a\u200bl\u00adi\u2060ce\ufe0f", "alice");
        fold_is(arena, "\u3164", "");
}

static void clean_is(struct arena *arena, struct str bytes, size_t max_bytes, const char *expected)
{
        assert_string_equal(text_clean(arena, bytes, max_bytes), expected);
}

static void untrusted_text_is_cleaned_and_truncated_between_characters(void **state)
{
        struct arena *arena = *state;
        clean_is(arena, STR(""), 10, "");
        clean_is(arena, (struct str){0}, 10, "");
        clean_is(arena, STR("curl/8.5"), 10, "curl/8.5");
        clean_is(arena, STR("Zo\xc3\xab"), 10, "Zoë");
        clean_is(arena, STR("Zo\xeb!"), 10, "Zo�!");       /* ISO 8859-1 */
        clean_is(arena, STR("a\xf0\x9f\x98"), 20, "a���"); /* truncated by the sender */
        clean_is(arena, STR("a\0b\nc\x7f"), 20, "a�b�c�");
        clean_is(arena,
                 STR("a\xe2\x80\xae"
                     "b"),
                 20, "a�b"); /* a character that changes the direction of the rest */
        clean_is(arena, STR("\xed\xa0\x80"), 20, "���");
        for (size_t most = 0; most < 8; most++) { /* four bytes each */
                clean_is(arena, STR("😀😀"), most, most < 4 ? "" : "😀");
        }
        clean_is(arena, STR("😀😀"), 8, "😀😀");
        clean_is(arena, STR("\xff\xff\xff"), 7, "��");
}

static void invisible_characters_are_trimmed_from_both_ends(void **state)
{
        static const char *const texts[][2] = {
            {"", ""},         {"a", "a"},  {" \t\r\na b\n", "a b"}, {"\u00a0\u3000\u200bé\u2028\ufeff", "é"},
            {" \u3000 ", ""}, {"😀 ", "😀"},
        };
        for (size_t i = 0; i < sizeof(texts) / sizeof(texts[0]); i++) {
                struct str trimmed = text_trim(str_of(texts[i][0]));
                assert_true(str_equal_c(trimmed, texts[i][1]));
        }
}

static void invalid_utf8_yields_nothing(void **state)
{
        struct arena *arena = *state;
        assert_null(text_casefold_nfkc(arena, "a\xc3"));
        assert_null(text_casefold_nfkc(arena, "\xed\xa0\x80"));
        assert_null(text_casefold_nfkc(arena, "\xff"));
}

static void long_texts_are_folded_completely(void **state)
{
        struct arena *arena = *state;
        char text[3 * 1000 + 1], expected[3 * 1000 + 1];
        for (int i = 0; i < 1000; i++) {
                memcpy(text + 3 * i, "Ａ", 3); /* three bytes become one */
                expected[i] = 'a';
        }
        text[3000] = '\0';
        expected[1000] = '\0';
        fold_is(arena, text, expected);
}

static size_t encode(uint32_t c, char out[5])
{
        size_t n = c < 0x80 ? 1 : c < 0x800 ? 2 : c < 0x10000 ? 3 : 4;
        static const uint8_t lead[] = {0, 0, 0xC0, 0xE0, 0xF0};
        for (size_t i = n - 1; i > 0; i--, c >>= 6) {
                out[i] = (char)(0x80 | (c & 0x3F));
        }
        out[0] = (char)(lead[n] | c);
        out[n] = '\0';
        return n;
}

static void folding_twice_changes_nothing_for_any_character(void **state)
{
        struct arena *arena = *state;
        struct arena_mark mark = arena_mark(arena);
        for (uint32_t c = 1; c < 0x110000; c++) {
                char text[5];
                if (c >= 0xD800 && c < 0xE000) {
                        continue;
                }
                encode(c, text);
                char *once = text_casefold_nfkc(arena, text);
                assert_non_null(once);
                assert_string_equal(text_casefold_nfkc(arena, once), once);
                arena_reset(arena, mark);
        }
}

static void characters_have_their_classes(void **state)
{
        assert_true(text_is_letter('a') && text_is_letter('Z') && text_is_letter(0x3042) && text_is_letter(0x2167));
        assert_false(text_is_letter('[') || text_is_letter('@') || text_is_letter('0') || text_is_letter(0x1F600));
        assert_true(text_is_mark(0x0301) && text_is_mark(0x093F) && text_is_mark(0x20E3));
        assert_false(text_is_mark('a') || text_is_mark(0x00B7));
        assert_true(text_is_number('7') && text_is_number(0x0663) && text_is_number(0x00BD));
        assert_false(text_is_number('a') || text_is_number('/') || text_is_number(':'));
        assert_true(text_is_space(' ') && text_is_space('\n') && text_is_space(0x00A0) && text_is_space(0x3000) &&
                    text_is_space(0x2028));
        assert_false(text_is_space('a') || text_is_space(0x200D));
}

static int with_arena(void **state)
{
        *state = arena_new(1 << 20);
        return *state == NULL;
}

static int without_arena(void **state)
{
        arena_free(*state);
        return 0;
}

int main(void)
{
        const struct CMUnitTest tests[] = {
            cmocka_unit_test(case_width_and_composition_do_not_matter),
            cmocka_unit_test(invisible_characters_do_not_make_another_name),
            cmocka_unit_test(untrusted_text_is_cleaned_and_truncated_between_characters),
            cmocka_unit_test(invisible_characters_are_trimmed_from_both_ends),
            cmocka_unit_test(invalid_utf8_yields_nothing),
            cmocka_unit_test(long_texts_are_folded_completely),
            cmocka_unit_test(folding_twice_changes_nothing_for_any_character),
            cmocka_unit_test(characters_have_their_classes),
        };
        return cmocka_run_group_tests(tests, with_arena, without_arena);
}
