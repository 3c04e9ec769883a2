/* Facets: values by which matching notes can be narrowed down. */
#ifndef SERVICES_SEARCH_FACETS_H
#define SERVICES_SEARCH_FACETS_H

#include "services/search/find.h"
#include "services/search/rank.h"

/* Counts the requested facets of those ranked notes that the reader may see. */
SN_CHECKED sn_status facets_count(struct rpc_call *c, const struct search *search, const struct ranked *ranked,
                                  size_t n, Search__SearchPage *out);

#endif
