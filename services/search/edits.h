/* Typing mistakes: how many there are between two words. Pure. */
#ifndef SERVICES_SEARCH_EDITS_H
#define SERVICES_SEARCH_EDITS_H

#include <stdbool.h>
#include <stddef.h>

/* How many are tolerated: none below 4 code points, one below 8, else two; none in a word with a digit. */
size_t edits_forgiven(const char *word);
/* Whether at most so many insertions, deletions, substitutions or swaps of neighbours turn one into the other.
 * UTF-8. */
bool edits_within(const char *a, const char *b, size_t most);

#endif
