/* Which script a character is of, as far as searching must know, and which language a text seems to be in. Pure. */
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
/* Whether words are written without spaces between them: compared by pairs of characters. */
bool script_has_no_spaces(uint32_t code_point);
/* Whether marks only colour the letters of a script. */
bool script_folds_accents(enum script script);
bool script_is_emoji(uint32_t code_point);

/* A language with a dictionary of PostgreSQL. */
struct language {
        const char *code;       /* "en" */
        const char *dictionary; /* "english_stem" */
        enum script script;
        const char
            *words; /* frequent short ones that tell it from others, each between spaces; NULL: the script tells */
};

const struct language *language_list(size_t *n);
/* By its code; NULL: there is no dictionary for it. */
const struct language *language_find(const char *code);
/* What the text seems to be in: "de"; "" when nothing tells. Of languages without a dictionary too ("ja", "th"). */
const char *language_guess(const char *text);
/* By whose dictionary a text is stemmed that seems to be in a language: a Latin one that nothing tells counts as
 * English. NULL: by none. */
const struct language *language_of_stems(const char *text, const char *guess);

#endif
