/* Forms: other lexemes that a query's words may have in the index, by their stems. */
#ifndef SERVICES_SEARCH_FORMS_H
#define SERVICES_SEARCH_FORMS_H

#include "services/search/store.h"

/* In the languages that use the words' script, or only in the given one of these ("": all). */
struct forms_asked forms_of(struct arena *arena, const struct word_asked *words, size_t n, const char *language);

#endif
