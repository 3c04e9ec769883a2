/* By what the notes that were found may be told apart. */
#ifndef SERVICES_SEARCH_FACETS_H
#define SERVICES_SEARCH_FACETS_H

#include "services/search/find.h"
#include "services/search/rank.h"

/* Counts what the reader is shown of the ranked notes, by what the request asks for. */
SN_CHECKED sn_status facets_count(struct rpc_call *c, const struct search *search, const struct ranked *ranked,
                                  size_t n, Search__SearchPage *out);

#endif
