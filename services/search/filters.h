/* Filters of the query language, "name:value". */
#ifndef SERVICES_SEARCH_FILTERS_H
#define SERVICES_SEARCH_FILTERS_H

#include "services/search/terms.h"

/* The lexeme (lexemes.h) of a filter that is matched per note. NULL for a filter of the whole query, which is stored in
 * terms if `whole`, and rejected otherwise. */
SN_CHECKED sn_status filter_lexeme(struct rpc_call *c, const struct query *filter, bool whole, struct terms *terms,
                                   const char **lexeme);

#endif
