/* What stands behind the colon of a query's words. */
#ifndef SERVICES_SEARCH_FILTERS_H
#define SERVICES_SEARCH_FILTERS_H

#include "services/search/terms.h"

/* The lexeme of a filter that is met by single notes (lexemes.h); NULL for one that holds of the query as a whole,
 * which is then set in terms when `whole`, and refused otherwise. */
SN_CHECKED sn_status filter_lexeme(struct rpc_call *c, const struct query *filter, bool whole, struct terms *terms,
                                   const char **lexeme);

#endif
