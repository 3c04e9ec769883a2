/* What else the words of a query may be in the index: by their stems. */
#ifndef SERVICES_SEARCH_FORMS_H
#define SERVICES_SEARCH_FORMS_H

#include "services/search/store.h"

/* In the languages whose letters the words have, or only in one of these ("": in all). */
struct forms_asked forms_of(struct arena *arena, const struct word_asked *words, size_t n, const char *language);

#endif
