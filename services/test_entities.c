/* Which hashtags and mentions are found in a text. Expectations are written as "key key", in order. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <string.h>
#include <cmocka.h>

#include "base/arena.h"
#include "base/buf.h"
#include "services/entities.h"

enum { LONG_TEXT_BYTES = 1024 * 1024 };

static struct arena *arena;

static char *keys_in(const char *text)
{
        struct entities found;
        entities_extract(arena, text, &found);
        char *keys = arena_strdup(arena, "");
        for (size_t i = 0; i < found.n_hashtags; i++) {
                keys = arena_printf(arena, "%s%s%s", keys, i > 0 ? " " : "", found.hashtags[i].key);
        }
        return keys;
}

static char *mentions_in(const char *text)
{
        struct entities found;
        entities_extract(arena, text, &found);
        char *names = arena_strdup(arena, "");
        for (size_t i = 0; i < found.n_mentions; i++) {
                names = arena_printf(arena, "%s%s%s", names, i > 0 ? " " : "", found.mentions[i]);
        }
        return names;
}

struct example {
        const char *text, *expected;
};

static void check(const struct example *examples, size_t n, char *(*find)(const char *))
{
        for (size_t i = 0; i < n; i++) {
                char *found = find(examples[i].text);
                if (strcmp(found, examples[i].expected) != 0) {
                        fail_msg("«%s» gave «%s», not «%s»", examples[i].text, found, examples[i].expected);
                }
        }
}

#define CHECK(examples, find) check((examples), sizeof(examples) / sizeof((examples)[0]), (find))

static void hashtags_are_found_in_any_script(void **state)
{
        static const struct example examples[] = {
            {"", ""},
            {"#cats", "cats"},
            {"I like #Cats, #dogs_2 and (#birds).", "cats dogs_2 birds"},
            {"line\n#one\t#two\u3000#three", "one two three"},
            {"#Ünïcode #naïve #nai\u0308ve", "ünïcode naïve"},
            {"#привет #Γειά #שלום #مرحبا", "привет γειά שלום مرحبا"},
            {"#東京 #さくら #カラオケ #한국어 #ประเทศไทย", "東京 さくら カラオケ 한국어 ประเทศไทย"},
            {"#हिन्दी #தமிழ் #বাংলা", "हिन्दी தமிழ் বাংলা"},
            {"#話題#です", "話題"},
            {"＃全角 ﹟small", "全角 small"},
            {"#Straße", "strasse"},
            {"#𝒻𝒶𝓃𝒸𝓎", "fancy"},
            {"#②b", "2b"},
        };
        CHECK(examples, keys_in);
}

static void hashtags_may_contain_characters_that_scripts_need_inside_words(void **state)
{
        static const struct example examples[] = {
            {"#می\u200cخواهم", "میخواهم"},
            {"#ක්\u200dෂ", "ක්ෂ"},
            {"#col·lecció", "collecció"},
            {"#レオナルド・ダ・ヴィンチ", "レオナルドダヴィンチ"},
            {"#夏〜秋 #ワ～ルド #夏〜〜秋 #終〜", "夏秋 ワルド 夏 終"},
            {"#צה״ל", "צהל"},
            {"#བོད་སྐད", "བོདསྐད"},
            {"#foo\u200dbar", "foo"}, /* Latin does not need a joiner */
            {"#می\u200c and", "می"},  /* nothing follows to join */
            {"#a· #b·· #c··d", "a b c"},
            {"#محمدﷺ", "محمدصلىاللهعليهوسلم"}, /* one character that folds to four words */
        };
        CHECK(examples, keys_in);
}

static void invalid_hashtags_are_ignored(void **state)
{
        static const struct example examples[] = {
            {"#", ""},
            {"# title", ""},
            {"#123 #2024 #٢٠٢٤", ""},
            {"#_ #___ #1_000", ""},
            {"#1st #a1", "1st a1"},
            {"word#tag _#tag 5#tag é#tag e\u0301#tag", ""},
            {"日本#語", ""},
            {"C# and F#m", ""},
            {"&#123; &#x1F600; &#abc", ""},
            {"#️⃣ #\u0301a #🎉", ""},
            {"##double", "double"},
            {"#a#b", "a"},
            {"❤️#love 1️⃣#first", "love first"},
            {"#cats/#dogs", "cats dogs"},
            {"#\u3164 #\uFFA0", ""}, /* invisible letters */
        };
        CHECK(examples, keys_in);
}

static void links_contain_no_hashtags_and_no_mentions(void **state)
{
        static const struct example hashtags[] = {
            {"https://example.org/#top", ""},
            {"HTTP://EXAMPLE.ORG/a?b#c,#d", ""},
            {"see www.example.org/#a #b", "b"},
            {"example.org/page#a example.org:8080/#b example.org/#c", ""},
            {"gemini://host/#a", ""},
            {"(https://example.org/a_(b)#c)#after", "after"},
            {"[text](https://example.org/#a)#after", "after"},
            {"<https://example.org/#a>#after", "after"},
            {"看https://example.org/#a。#话题", "话题"},
            {"https://example.org/#a\u3000#b", "b"},
            {"https://#a www.#b", "b"},
            {"e.g./#tag 3.14/#pi", "tag pi"},
        };
        static const struct example mentions[] = {
            {"https://social.example/@bob", ""},
            {"www.example.org/@bob @ann", "ann"},
            {"medium.example/@bob", ""},
            {"https://bob:secret@example.org", ""},
        };
        CHECK(hashtags, keys_in);
        CHECK(mentions, mentions_in);
}

static void mentions_are_found(void **state)
{
        static const struct example examples[] = {
            {"@bob", "bob"},
            {"@bob, @Ann_2: .@carl! (@dora) \"@eve\"", "bob Ann_2 carl dora eve"},
            {"@bob's -@ann", "bob ann"},
            {"@Bob @bOB @BOB", "Bob"},
            {"＠bob", "bob"},
            {"谢谢@bob老师 @bobさん @bob님", "bob"},
            {"@a234567890123456789012345678901", ""},
            {"@a23456789012345678901234567890", "a23456789012345678901234567890"},
            {"@bob.", "bob"},
            {"@bob/@ann", "bob ann"},
            {"#tag@bob", ""},
            {"@bob#tag", "bob"},
        };
        CHECK(examples, mentions_in);
}

static void addresses_and_words_contain_no_mentions(void **state)
{
        static const struct example examples[] = {
            {"bob@example.org a.b-c+d@example.org x_@example.org", ""},
            {"@bob@example.social", ""},
            {"@@bob", ""},
            {"@bobé @bobа @bob\u0301", ""}, /* the second has a Cyrillic а */
            {"名前@example.org", ""},
            {"é@bob", ""},
            {"@ @- @é", ""},
        };
        CHECK(examples, mentions_in);
}

static void the_first_spelling_is_kept_for_display(void **state)
{
        struct entities found;
        entities_extract(arena, "#CamelCase #camelcase ＃ＣａｍｅｌＣａｓｅ", &found);
        assert_int_equal(found.n_hashtags, 1);
        assert_string_equal(found.hashtags[0].text, "CamelCase");
        assert_string_equal(found.hashtags[0].key, "camelcase");
}

static char *repeat(const char *piece, size_t times)
{
        size_t len = strlen(piece);
        char *text = arena_alloc(arena, len * times + 1);
        for (size_t i = 0; i < times; i++) {
                memcpy(text + i * len, piece, len);
        }
        return text;
}

static void the_length_of_hashtags_is_limited(void **state)
{
        struct entities found;
        entities_extract(arena, arena_printf(arena, "#%s #%sx", repeat("é", 100), repeat("é", 100)), &found);
        assert_int_equal(found.n_hashtags, 1);
        assert_int_equal(strlen(found.hashtags[0].text), 200);
        entities_extract(arena, arena_printf(arena, "#%s", repeat("ﷺ", 100)), &found); /* its key would have 1,500 */
        assert_int_equal(found.n_hashtags, 0);
}

static void at_most_thirty_of_each_are_found(void **state)
{
        struct buf text;
        buf_init(&text, 10000);
        for (int i = 0; i < 40; i++) {
                buf_printf(&text, "#t%d #t%d @u%d @U%d ", i, i, i, i);
        }
        struct entities found;
        entities_extract(arena, text.data, &found);
        buf_free(&text);
        assert_int_equal(found.n_hashtags, ENTITIES_MAX_HASHTAGS);
        assert_int_equal(found.n_mentions, ENTITIES_MAX_MENTIONS);
        assert_string_equal(found.hashtags[29].key, "t29");
        assert_string_equal(found.mentions[29], "u29");
}

static void malicious_texts_take_no_more_time_than_others(void **state)
{
        /* A megabyte each: quadratic time would not end within a test run. */
        static const char *const pieces[] = {"#",   "@",    "#a",       "@a",    "#a ", "@a ",      "a",
                                             "a.",  "www.", "http://",  "://",   "(",   "#a\u0301", "\u0301",
                                             "#a·", "#a·b", "می\u200c", "a.bc/", "&#",  "#\u200d",  "ﷺ",
                                             "#ﷺ ", "_",    "@a@",      "-",     "a-.", "www.a "};
        for (size_t i = 0; i < sizeof(pieces) / sizeof(pieces[0]); i++) {
                struct arena_mark mark = arena_mark(arena);
                struct entities found;
                entities_extract(arena, repeat(pieces[i], LONG_TEXT_BYTES / strlen(pieces[i])), &found);
                assert_true(found.n_hashtags <= 1 && found.n_mentions <= 1);
                arena_reset(arena, mark);
        }
}

static void text_that_is_not_utf8_has_no_entities(void **state)
{
        struct entities found;
        entities_extract(arena, "#good \xff #bad", &found);
        assert_int_equal(found.n_hashtags + found.n_mentions, 0);
}

static void a_list_finds_its_hashtag_in_any_spelling(void **state)
{
        static const char *const spellings[][2] = {{"Cats", "cats"},
                                                   {"#ＣＡＴＳ", "cats"},
                                                   {"col·lecció", "collecció"},
                                                   {"夏～秋", "夏秋"},
                                                   {"夏〜秋", "夏秋"}};
        const char *problem;
        for (size_t i = 0; i < sizeof(spellings) / sizeof(spellings[0]); i++) {
                assert_string_equal(hashtag_key(arena, spellings[i][0], &problem), spellings[i][1]);
                assert_null(problem);
        }
}

static void invalid_hashtags_are_explained(void **state)
{
        static const char sign[] = "must not contain \"%s\": a hashtag has letters, numbers and '_'";
        static const char *const examples[][2] = {
            {"a/b", "/"}, {"/", "/"}, {"a#b", "#"}, {"#a-b", "-"}, {"夏〜〜", "〜"}};
        const char *problem, *letter = "must contain a letter",
                             *space = "must not contain white space: a hashtag is one word";
        const char *const others[][2] = {{"", letter},
                                         {"#", letter},
                                         {"2024", letter},
                                         {"two words", space},
                                         {" ", space},
                                         {"\xff", "must be valid UTF-8"},
                                         {repeat("a", 101), "must have at most 100 characters"},
                                         {"\u3164", "must be a word that can be seen, of at most 100 characters"}};
        for (size_t i = 0; i < sizeof(examples) / sizeof(examples[0]); i++) {
                assert_null(hashtag_key(arena, examples[i][0], &problem));
                assert_string_equal(problem, arena_printf(arena, sign, examples[i][1]));
        }
        for (size_t i = 0; i < sizeof(others) / sizeof(others[0]); i++) {
                assert_null(hashtag_key(arena, others[i][0], &problem));
                assert_string_equal(problem, others[i][1]);
        }
}

static int with_arena(void **state)
{
        arena = arena_new((size_t)64 << 20);
        return arena == NULL;
}

static int without_arena(void **state)
{
        arena_free(arena);
        return 0;
}

int main(void)
{
        const struct CMUnitTest tests[] = {
            cmocka_unit_test(hashtags_are_found_in_any_script),
            cmocka_unit_test(hashtags_may_contain_characters_that_scripts_need_inside_words),
            cmocka_unit_test(invalid_hashtags_are_ignored),
            cmocka_unit_test(links_contain_no_hashtags_and_no_mentions),
            cmocka_unit_test(mentions_are_found),
            cmocka_unit_test(addresses_and_words_contain_no_mentions),
            cmocka_unit_test(the_first_spelling_is_kept_for_display),
            cmocka_unit_test(the_length_of_hashtags_is_limited),
            cmocka_unit_test(at_most_thirty_of_each_are_found),
            cmocka_unit_test(malicious_texts_take_no_more_time_than_others),
            cmocka_unit_test(text_that_is_not_utf8_has_no_entities),
            cmocka_unit_test(a_list_finds_its_hashtag_in_any_spelling),
            cmocka_unit_test(invalid_hashtags_are_explained),
        };
        return cmocka_run_group_tests(tests, with_arena, without_arena);
}
