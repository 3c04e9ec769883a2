/* Splitting texts in twelve scripts into words, guessing languages, and typing mistakes. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <string.h>
#include <cmocka.h>

#include "services/search/edits.h"
#include "services/search/lexemes.h"
#include "services/search/scripts.h"

static struct arena *arena;

static int begin(void **state)
{
        arena = arena_new((size_t)64 * 1024 * 1024);
        return 0;
}

static int end(void **state)
{
        arena_free(arena);
        return 0;
}

static char *words_of(const char *text)
{
        struct lexemes found = lexemes_of(arena, text);
        char *words = arena_strdup(arena, "");

        for (size_t i = 0; i < found.n; i++) {
                words = arena_printf(arena, "%s%s%s", words, i > 0 ? " " : "", found.items[i].text);
        }
        return words;
}

static const struct {
        const char *script, *language, *text, *words;
} fixtures[] = {
    {"Latin", "en", "The Café's first flight, don't miss it!", "the cafe s first flight don t miss it"},
    {"Latin", "de", "Die Straße ist für Müller zu ÄRGERLICH", "die strasse ist fur muller zu argerlich"},
    {"Latin", "tr", "Işık çok güzel ama ılık değil", "isik cok guzel ama ilik degil"},
    {"Greek", "el", "Καλημέρα κόσμε ΟΔΟΣ", "καλημερα κοσμε οδοσ"},
    {"Cyrillic", "ru", "Ёлка и чай", "елка и чаи"},
    {"Armenian", "hy", "Բարև աշխարհ", "բարեւ աշխարհ"},
    {"Hebrew", "he", "שָׁלוֹם עולם", "שלום עולם"},
    {"Arabic", "ar", "مَرْحَبًا بالعالم", "مرحبا بالعالم"},
    {"Devanagari", "hi", "नमस्ते दुनिया", "नमस्ते दुनिया"},
    {"Tamil", "ta", "வணக்கம் உலகம்", "வணக்கம் உலகம்"},
    {"Thai", "th", "สวัสดี", "สวั วัส สดี ดี"},
    {"Hangul", "ko", "안녕하세요 세계", "안녕 녕하 하세 세요 요 세계 계"},
    {"Kana", "ja", "東京都に住むカフェ", "東京 京都 都に に住 住む むカ カフ フェ ェ"},
    {"Kana, half width", "ja", "ﾃﾚﾋﾞ", "テレ レビ ビ"},
    {"Kana, decomposed", "ja", "か\u3099き", "がき き"},
    {"Han", "zh", "我爱北京。", "我爱 爱北 北京 京"},
    {"emoji", "", "🎉 👍🏽 🇩🇪 1,5", "🎉 👍 🇩🇪 1 5"},
    {"width", "", "ＡＢＣ１２", "abc12"},
};

static void texts_of_twelve_scripts_become_words(void **state)
{
        for (size_t i = 0; i < sizeof(fixtures) / sizeof(fixtures[0]); i++) {
                assert_string_equal(words_of(fixtures[i].text), fixtures[i].words);
        }
}

static void the_language_is_guessed_offline(void **state)
{
        for (size_t i = 0; i < sizeof(fixtures) / sizeof(fixtures[0]); i++) {
                assert_string_equal(language_guess(fixtures[i].text), fixtures[i].language);
        }
        assert_string_equal(language_guess("El perro y los gatos en la casa"), "es");
        assert_string_equal(language_guess("Le chat est sur la table avec nous"), "fr");
        assert_string_equal(language_guess("xyzzy plugh"), "");
        assert_string_equal(language_of_stems("xyzzy", "")->code, "en");
        assert_null(language_of_stems("我爱", "zh"));
}

static void positions_are_in_code_points(void **state)
{
        struct lexemes found = lexemes_of(arena, "😀 né 東京");

        assert_int_equal(found.n, 4);
        assert_int_equal(found.items[1].start, 2);
        assert_int_equal(found.items[1].length, 2);
        assert_string_equal(found.items[1].word, "né");
        assert_string_equal(found.items[1].text, "ne");
        assert_int_equal(found.items[2].start, 5);
        assert_int_equal(found.items[2].length, 2);
}

static void links_are_found_by_their_hosts(void **state)
{
        struct lexemes found = lexemes_of(arena, "see https://www.Example.org/a.");
        char *vector = lexemes_vector(arena, &found);

        assert_non_null(strstr(vector, "'/www.example.org' '/example.org' ':has:link'"));
        assert_null(strstr(vector, "'/org'"));
        assert_null(strstr(words_of("a :// b"), ":has:link"));
}

static void no_text_escapes_the_quotes_of_a_vector(void **state)
{
        struct lexemes found = {0};

        lexemes_add_sign(arena, &found, "#a'\\");
        assert_string_equal(lexemes_vector(arena, &found), "'#a''\\\\' ");
}

static void typing_mistakes_are_counted(void **state)
{
        assert_true(edits_between("house", "huose", 1) <= 1);  /* swapped */
        assert_true(edits_between("house", "hous", 1) <= 1);   /* less */
        assert_true(edits_between("house", "houses", 1) <= 1); /* more */
        assert_true(edits_between("house", "mouse", 1) <= 1);  /* other */
        assert_int_equal(edits_between("house", "moose", 1), 2);
        assert_true(edits_between("restaurant", "resturent", 2) <= 2);
        assert_int_equal(edits_between("a", "abcd", 2), 3);
        assert_true(edits_between("", "", 0) <= 0);
}

static void short_words_and_words_with_digits_tolerate_no_mistakes(void **state)
{
        assert_int_equal(edits_forgiven("cat"), 0);
        assert_int_equal(edits_forgiven("cats"), 1);
        assert_int_equal(edits_forgiven("reading"), 1);
        assert_int_equal(edits_forgiven("readings"), 2);
        assert_int_equal(edits_forgiven("20261127"), 0);
        assert_int_equal(edits_forgiven("ada_king"), 0);
        assert_int_equal(edits_forgiven("кошка"), 1);
}

int main(void)
{
        const struct CMUnitTest tests[] = {
            cmocka_unit_test(texts_of_twelve_scripts_become_words),
            cmocka_unit_test(the_language_is_guessed_offline),
            cmocka_unit_test(positions_are_in_code_points),
            cmocka_unit_test(links_are_found_by_their_hosts),
            cmocka_unit_test(no_text_escapes_the_quotes_of_a_vector),
            cmocka_unit_test(typing_mistakes_are_counted),
            cmocka_unit_test(short_words_and_words_with_digits_tolerate_no_mistakes),
        };

        return cmocka_run_group_tests(tests, begin, end);
}
