/* Search histories. */
#ifndef SERVICES_SEARCH_HISTORY_H
#define SERVICES_SEARCH_HISTORY_H

#include "db/db.h"

/* Makes the query, as understood, the newest entry of the caller's history, unless they turned it off. Does nothing if
 * the caller is not logged in. key: the folded query. */
SN_CHECKED sn_status history_keep(struct db_tx *tx, const char *query, const char *key);
/* Keeps the newest 500 of the caller's history, in a transaction of its own. */
SN_CHECKED sn_status history_cut(struct rpc_call *c);

#endif
