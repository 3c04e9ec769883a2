/* Anchors: lexemes one of which a note must contain to match a query. They select the few saved searches that a new
 * note is matched against. */
#ifndef SERVICES_SEARCH_ANCHORS_H
#define SERVICES_SEARCH_ANCHORS_H

#include "services/search/terms.h"

/* SN_INVALID_ARGUMENT, query_invalid, if there are none because the query requires no word, or requires something that
 * no new note by another member than the caller can have (in:mine, min_likes:1). */
SN_CHECKED sn_status anchors_make(struct rpc_call *c, const struct query *query, char ***anchors, size_t *n);

#endif
