/* Stemming: "running" and "runs" become "run". Uses the stemmers of the Snowball project, like PostgreSQL's
 * dictionaries. Pure. */
#ifndef SERVICES_SEARCH_STEMS_H
#define SERVICES_SEARCH_STEMS_H

#include "services/search/lexemes.h"
#include "services/search/scripts.h"

/* Stems casefolded words (`word` of a lexeme) of one language. stems[i] is without accents, or NULL for a stop word
 * such as "the". */
void stems_of(struct arena *arena, const struct language *language, char *const *words, size_t n, char **stems);
/* A stem as stored in the index: "~en:run". */
char *stem_sign(struct arena *arena, const struct language *language, const char *stem);
/* Other lexemes that the word may have in the index: its stems in these languages, with their prefix and as plain
 * words; a stop word of one of them is not shortened to a plain word, as "und" would be to "un" in another. forms must
 * have room for two per language. Returns their number. */
size_t stems_forms(struct arena *arena, const struct language *const *languages, size_t n, const char *word,
                   char **forms);
/* Two adjacent frequent words as stored in the index: "~&of the". NULL if one of them is not a stop word in any
 * language. */
char *stems_pair(struct arena *arena, const char *first, const char *second);
/* Adds the pairs of a text's frequent words. */
void stems_add_pairs(struct arena *arena, struct lexemes *lexemes);
/* Adds the stems of a text's words, except those equal to the word itself. */
void stems_add(struct arena *arena, const struct language *language, struct lexemes *lexemes);

#endif
