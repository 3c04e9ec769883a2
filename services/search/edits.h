/* The edit distance between words. Pure. */
#ifndef SERVICES_SEARCH_EDITS_H
#define SERVICES_SEARCH_EDITS_H

#include <stdbool.h>
#include <stddef.h>

/* How many mistakes are tolerated: none below 4 code points, one below 8, else two; none in words with a digit. */
size_t edits_forgiven(const char *word);
/* How many insertions, deletions, substitutions or transpositions of neighbours turn one word into the other; most + 1
 * if more than `most` are needed. UTF-8. */
size_t edits_between(const char *a, const char *b, size_t most);

#endif
