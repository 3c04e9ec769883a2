/* Anchors: lexemes of which a note must have one so that a query may find it. By them the few searches are chosen that
 * a new note is held against. */
#ifndef SERVICES_SEARCH_ANCHORS_H
#define SERVICES_SEARCH_ANCHORS_H

#include "services/search/terms.h"

/* SN_INVALID_ARGUMENT, query_invalid, when there are none: the query has no word that it always asks for. */
SN_CHECKED sn_status anchors_make(struct rpc_call *c, const struct query *query, char ***anchors, size_t *n);

#endif
