/* The forms of a word have one stem: "running" and "runs" are "run". By the Snowball project's stemmers, as
 * PostgreSQL's dictionaries have them. Pure. */
#ifndef SERVICES_SEARCH_STEMS_H
#define SERVICES_SEARCH_STEMS_H

#include "services/search/lexemes.h"
#include "services/search/scripts.h"

/* Of casefolded words (`word` of a lexeme) of one language. stems[i] is without accents; NULL: the word says nothing,
 * as "the". */
void stems_of(struct arena *arena, const struct language *language, char *const *words, size_t n, char **stems);
/* As the index has a stem: "~en:run". */
char *stem_sign(struct arena *arena, const struct language *language, const char *stem);
/* What else the word may be in the index: its stems in these languages, with their sign and as words of their own. Room
 * for two of each language; how many there are. */
size_t stems_forms(struct arena *arena, const struct language *const *languages, size_t n, const char *word,
                   char **forms);
/* Adds the stems of the words of a text, but those that are the word itself. */
void stems_add(struct arena *arena, const struct language *language, struct lexemes *lexemes);

#endif
