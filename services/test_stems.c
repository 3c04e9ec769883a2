/* Stems match PostgreSQL's dictionaries, for random words in each language's letters and with its endings, and for stop
 * words. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <cmocka.h>
#include <libpq-fe.h>

#include "base/status.h"
#include "base/text.h"
#include "db/test_support.h"
#include "services/search/stems.h"

enum { WORDS = 4000, ROOM = 1024 };

static uint64_t seed = 20261128;

static size_t draw(size_t n)
{
        seed = seed * UINT64_C(6364136223846793005) + UINT64_C(1442695040888963407);
        return (size_t)(seed >> 33) % n;
}

static const char *letters_of(enum script script)
{
        switch (script) {
        case SCRIPT_CYRILLIC:
                return "абвгдежзийклмнопрстуфхцчшщъыьэюяё";
        case SCRIPT_GREEK:
                return "αβγδεζηθικλμνξοπρστυφχψωάέήίόύώϊϋ";
        case SCRIPT_ARMENIAN:
                return "աբգդեզէըթժիլխծկհձղճմյնշոչպջռսվտրցւփքօֆ";
        case SCRIPT_ARABIC:
                return "ابتثجحخدذرزسشصضطظعغفقكلمنهويأإآءئؤةى";
        case SCRIPT_DEVANAGARI:
                return "अआइईउएओकखगघचछजटडतथदधनपफबभमयरलवशसहािीुूेैोौंँ्";
        case SCRIPT_TAMIL:
                return "அஆஇஈஉஊஎஏஐஒஓகஙசஞடணதநபமயரலவழளறனாிீுூெேைொோ்";
        default:
                return "aabcdeeefghiijklmnnooprrssttuuvwxyzäöüåæøéèêáàâíìîóòôõúùûñçşğışțăőű";
        }
}

/* The i-th code point of a text. */
static char *letter(char *out, const char *letters, size_t at)
{
        size_t n = 0;
        uint32_t c = 0;

        for (size_t i = 0; i <= at; i++, letters += n) {
                n = utf8_decode(letters, strlen(letters), &c);
        }
        memcpy(out, letters - n, n);
        return out + n;
}

static char *draw_word(struct arena *arena, const struct language *language)
{
        static const char *const latin_ends[] = {"",    "",     "s",     "ing",    "ed",  "ation", "heit",
                                                 "ene", "ando", "ement", "issimo", "lar", "nak",   "ilor"};
        const char *letters = letters_of(language->script);
        char word[ROOM], *end = word;

        for (size_t i = 1 + draw(9); i > 0; i--) {
                end = letter(end, letters, draw(utf8_length(letters, strlen(letters))));
        }
        *end = '\0';
        return arena_printf(
            arena, "%s%s", word,
            language->script == SCRIPT_LATIN ? latin_ends[draw(sizeof(latin_ends) / sizeof(latin_ends[0]))] : "");
}

/* PostgreSQL's stem; NULL for a stop word. */
static char *ask(struct arena *arena, PGconn *pg, const struct language *language, const char *word)
{
        const char *values[] = {arena_printf(arena, "%s_stem", language->stemmer), word};
        PGresult *result =
            PQexecParams(pg, "select (ts_lexize($1::text::regdictionary, $2))[1]", 2, NULL, values, NULL, NULL, 0);
        char *stem = NULL;

        assert_int_equal(PQresultStatus(result), PGRES_TUPLES_OK);
        if (!PQgetisnull(result, 0, 0)) {
                stem = arena_strdup(arena, PQgetvalue(result, 0, 0));
                stem = script_folds_accents(language->script) ? text_without_marks(arena, stem) : stem;
        }
        PQclear(result);
        return stem;
}

static void compare(PGconn *pg, const struct language *language, char *const *words, size_t n)
{
        CLEANUP(arena_free_p) struct arena *arena = arena_new((size_t)64 * 1024 * 1024);
        char **stems = ARENA_ARRAY(arena, char *, n);

        stems_of(arena, language, words, n, stems);
        for (size_t i = 0; i < n; i++) {
                char *theirs = ask(arena, pg, language, words[i]);

                if ((stems[i] == NULL) != (theirs == NULL) || (theirs != NULL && strcmp(theirs, stems[i]) != 0)) {
                        fail_msg("%s: the stem of '%s' is '%s', and '%s' by PostgreSQL", language->code, words[i],
                                 stems[i] != NULL ? stems[i] : "(none)", theirs != NULL ? theirs : "(none)");
                }
        }
}

static void stems_match_the_dictionaries(void **state)
{
        CLEANUP(arena_free_p) struct arena *arena = arena_new((size_t)64 * 1024 * 1024);
        PGconn *pg = PQconnectdb(test_admin_url());
        size_t n = 0;
        const struct language *languages = language_list(&n);
        char **words = ARENA_ARRAY(arena, char *, WORDS);

        assert_int_equal(PQstatus(pg), CONNECTION_OK);
        for (size_t i = 0; i < n; i++) {
                for (size_t k = 0; k < WORDS; k++) {
                        words[k] = draw_word(arena, &languages[i]);
                }
                compare(pg, &languages[i], words, WORDS);
        }
        PQfinish(pg);
}

/* Compares the stop words with the dictionaries' lists in both directions. */
static void stop_words_match_the_dictionaries(void **state)
{
#define STOP_WORDS(code, ...) {#code, (char *[]){__VA_ARGS__}, sizeof((char *[]){__VA_ARGS__}) / sizeof(char *)},
        struct {
                const char *code;
                char **words;
                size_t n;
        } lists[] = {
#include "services/search/stop_words.def.h"
        };
#undef STOP_WORDS
        PGconn *pg = PQconnectdb(test_admin_url());

        assert_int_equal(PQstatus(pg), CONNECTION_OK);
        for (size_t i = 0; i < sizeof(lists) / sizeof(lists[0]); i++) {
                size_t n = 0;
                const struct language *languages = language_list(&n);

                for (size_t k = 0; k < n; k++) { /* also words of one language in the dictionaries of all others */
                        compare(pg, &languages[k], lists[i].words, lists[i].n);
                }
        }
        PQfinish(pg);
}

int main(void)
{
        const struct CMUnitTest tests[] = {
            cmocka_unit_test(stems_match_the_dictionaries),
            cmocka_unit_test(stop_words_match_the_dictionaries),
        };

        return cmocka_run_group_tests_name("stems", tests, NULL, NULL);
}
