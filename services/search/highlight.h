/* The positions of a query's words in the texts that are shown. */
#ifndef SERVICES_SEARCH_HIGHLIGHT_H
#define SERVICES_SEARCH_HIGHLIGHT_H

#include "services/search/search.h"
#include "services/search/terms.h"

void highlight_notes(struct rpc_call *c, const struct terms *terms, Search__SearchPage *page);

#endif
