/* What a member searched for. */
#ifndef SERVICES_SEARCH_HISTORY_H
#define SERVICES_SEARCH_HISTORY_H

#include "db/db.h"

/* Makes the query, as it was understood, the newest of the caller's history, unless they turned that off. Does nothing
 * without a log-in. key: the query, folded. */
SN_CHECKED sn_status history_keep(struct db_tx *tx, const char *query, const char *key);

#endif
