/* The script of a character, as far as searching needs it, and the probable language of a text. Pure. */
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

/* A language whose words have stems (stems.h). */
struct language {
        const char *code;    /* "en" */
        const char *stemmer; /* "english" */
        enum script script;
        const char
            *words; /* frequent short ones that tell it from others, each between spaces; NULL: the script tells */
};

const struct language *language_list(size_t *n);
/* By its code; NULL: there is no stemmer for it. */
const struct language *language_find(const char *code);
/* The probable language of the text: "de"; "" when it is unknown. Also languages without a stemmer ("ja", "th").
 * */
const char *language_guess(const char *text);
/* Whose stemmer is for a text of a language; Latin text of an unknown language counts as English. NULL: it is
 * not stemmed. */
const struct language *language_of_stems(const char *text, const char *guess);

#endif
