/* Stemmers are not thread-safe, so each call creates its own, which costs less than stemming a word. */
#include "services/search/stems.h"

#include <libstemmer.h>
#include <pthread.h>
#include <stdlib.h>
#include <string.h>
#include "base/status.h"
#include "base/text.h"

/* ---- Stop words ---- */

#define STOP_WORDS(code, ...) static const char *const stop_words_##code[] = {__VA_ARGS__};
#include "services/search/stop_words.def.h"
#undef STOP_WORDS

struct stop_words {
        const char *code;
        const char *const *words;
        size_t n;
};

static const struct stop_words all_stop_words[] = {
#define STOP_WORDS(code, ...) {#code, stop_words_##code, sizeof(stop_words_##code) / sizeof(stop_words_##code[0])},
#include "services/search/stop_words.def.h"
#undef STOP_WORDS
};

/* Those of all languages, since each word of a note is looked up. Sorted when they are first needed. */
static const char *frequent_words[] = {
#define STOP_WORDS(code, ...) __VA_ARGS__,
#include "services/search/stop_words.def.h"
#undef STOP_WORDS
};
#define N_FREQUENT (sizeof(frequent_words) / sizeof(frequent_words[0]))

static struct stop_words stop_words_of(const struct language *language)
{
        for (size_t i = 0; i < sizeof(all_stop_words) / sizeof(all_stop_words[0]); i++) {
                if (strcmp(all_stop_words[i].code, language->code) == 0) {
                        return all_stop_words[i];
                }
        }
        return (struct stop_words){0};
}

static int compare_words(const void *a, const void *b)
{
        return strcmp(a, *(const char *const *)b);
}

static bool says_nothing(const struct stop_words *stop, const char *word)
{
        return stop->n > 0 && bsearch(word, stop->words, stop->n, sizeof(*stop->words), compare_words) != NULL;
}

static int compare_listed(const void *a, const void *b)
{
        return strcmp(*(const char *const *)a, *(const char *const *)b);
}

static void sort_frequent_words(void)
{
        qsort(frequent_words, N_FREQUENT, sizeof(frequent_words[0]), compare_listed);
}

/* Words are folded here and those of the lists are not: the few with accents have no pairs. */
static bool is_frequent(const char *word)
{
        static pthread_once_t once = PTHREAD_ONCE_INIT;

        (void)pthread_once(&once, sort_frequent_words);
        return bsearch(word, frequent_words, N_FREQUENT, sizeof(frequent_words[0]), compare_words) != NULL;
}

char *stems_pair(struct arena *arena, const char *first, const char *second)
{
        return is_frequent(first) && is_frequent(second) ? arena_printf(arena, "~&%s %s", first, second) : NULL;
}

void stems_add_pairs(struct arena *arena, struct lexemes *lexemes)
{
        const char *before = NULL; /* the word just before, if it is frequent */

        for (size_t i = 0, n = lexemes->n; i < n; i++) {
                const struct lexeme lexeme = lexemes->items[i]; /* adding moves them */
                bool frequent = lexeme.kind == LEXEME_WORD && is_frequent(lexeme.text);

                if (frequent && before != NULL) {
                        lexemes_add_sign(arena, lexemes, arena_printf(arena, "~&%s %s", before, lexeme.text));
                }
                before = frequent ? lexeme.text : NULL;
        }
}

/* ---- Stems ---- */

static void sb_stemmer_delete_p(struct sb_stemmer **stemmer)
{
        sb_stemmer_delete(*stemmer);
}

/* A word of which nothing would be left is its own stem. */
static char *stem_word(struct arena *arena, const struct language *language, struct sb_stemmer *stemmer,
                       const char *word)
{
        const sb_symbol *stem =
            stemmer != NULL ? sb_stemmer_stem(stemmer, (const sb_symbol *)word, (int)strlen(word)) : NULL;
        int len = stem != NULL ? sb_stemmer_length(stemmer) : 0;
        char *text = len > 0 ? arena_strndup(arena, (const char *)stem, (size_t)len) : arena_strdup(arena, word);

        return script_folds_accents(language->script) ? text_without_marks(arena, text) : text;
}

void stems_of(struct arena *arena, const struct language *language, char *const *words, size_t n, char **stems)
{
        CLEANUP(sb_stemmer_delete_p) struct sb_stemmer *stemmer = sb_stemmer_new(language->stemmer, "UTF_8");
        struct stop_words stop = stop_words_of(language);

        for (size_t i = 0; i < n; i++) {
                stems[i] = says_nothing(&stop, words[i]) ? NULL : stem_word(arena, language, stemmer, words[i]);
        }
}

char *stem_sign(struct arena *arena, const struct language *language, const char *stem)
{
        return arena_printf(arena, "~%s:%s", language->code, stem);
}

static bool is_stop_word(const struct language *const *languages, size_t n, const char *word)
{
        for (size_t i = 0; i < n; i++) {
                struct stop_words stop = stop_words_of(languages[i]);

                if (says_nothing(&stop, word)) {
                        return true;
                }
        }
        return false;
}

size_t stems_forms(struct arena *arena, const struct language *const *languages, size_t n, const char *word,
                   char **forms)
{
        bool stop = is_stop_word(languages, n, word);
        size_t n_forms = 0;

        for (size_t i = 0; i < n; i++) {
                char *stem = NULL;

                stems_of(arena, languages[i], (char *const *)&word, 1, &stem);
                if (stem != NULL) {
                        forms[n_forms++] = stem_sign(arena, languages[i], stem);
                        if (!stop || strcmp(stem, word) == 0) {
                                forms[n_forms++] = stem;
                        }
                }
        }
        return n_forms;
}

void stems_add(struct arena *arena, const struct language *language, struct lexemes *lexemes)
{
        char **words = ARENA_ARRAY(arena, char *, lexemes->n), **stems = ARENA_ARRAY(arena, char *, lexemes->n);
        size_t n = 0;

        for (size_t i = 0; i < lexemes->n; i++) {
                if (lexemes->items[i].kind == LEXEME_WORD) {
                        words[n++] = lexemes->items[i].word;
                }
        }
        stems_of(arena, language, words, n, stems);
        for (size_t i = 0; i < n; i++) {
                if (stems[i] != NULL && strcmp(stems[i], words[i]) != 0) {
                        lexemes_add_sign(arena, lexemes, stem_sign(arena, language, stems[i]));
                }
        }
}
