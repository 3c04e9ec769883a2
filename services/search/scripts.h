/* The scripts of characters, as far as search needs them, and the probable language of a text. Pure. */
#ifndef SERVICES_SEARCH_SCRIPTS_H
#define SERVICES_SEARCH_SCRIPTS_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

enum script {
        SCRIPT_OTHER,
        SCRIPT_LATIN,
        SCRIPT_GREEK,
        SCRIPT_CYRILLIC,
        SCRIPT_ARMENIAN,
        SCRIPT_HEBREW,
        SCRIPT_ARABIC,
        SCRIPT_DEVANAGARI,
        SCRIPT_TAMIL,
        SCRIPT_THAI,
        SCRIPT_HANGUL,
        SCRIPT_KANA,
        SCRIPT_HAN,
        SCRIPT_COUNT
};

enum script script_of(uint32_t code_point);
/* Whether words are written without spaces. Such scripts are indexed by pairs of characters. */
bool script_has_no_spaces(uint32_t code_point);
/* Whether marks in a script only modify its letters, and are folded. */
bool script_folds_accents(enum script script);
bool script_is_emoji(uint32_t code_point);

/* A language with a stemmer (stems.h). */
struct language {
        const char *code;    /* "en" */
        const char *stemmer; /* "english" */
        enum script script;
        const char *words; /* frequent short words that distinguish it from others, separated by spaces; NULL if the
                              script does */
};

const struct language *language_list(size_t *n);
/* Finds a language by code; NULL if it has no stemmer. */
const struct language *language_find(const char *code);
/* The probable language of a text, such as "de", or "" if unknown. Includes languages without a stemmer ("ja", "th").
 */
const char *language_guess(const char *text);
/* The language whose stemmer applies to a text with this guess. Latin text of an unknown language counts as English.
 * NULL if it is not stemmed. */
const struct language *language_of_stems(const char *text, const char *guess);

#endif
