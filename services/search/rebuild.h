/* Holding the index against its owners, note by note and member by member: what is missing comes, what is old is
 * renewed, what should not be there goes. Searches see the index as it is meanwhile, and events go on. */
#ifndef SERVICES_SEARCH_REBUILD_H
#define SERVICES_SEARCH_REBUILD_H

#include "db/db.h"
#include "services/search/search_rows.rpc.h"

/* Begins anew; the job of the service does it. */
SN_CHECKED sn_status rebuild_ask(struct db_tx *tx);
SN_CHECKED sn_status rebuild_progress(struct db_tx *tx, size_t *n, SearchRows__Rebuild ***rows);

#endif
