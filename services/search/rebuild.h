/* Rebuilds the index from note_service and user_service, note by note and member by member: adds what is missing,
 * refreshes what is outdated, removes what should not be there. Meanwhile searches use the index, and events are
 * handled. */
#ifndef SERVICES_SEARCH_REBUILD_H
#define SERVICES_SEARCH_REBUILD_H

#include "db/db.h"
#include "services/search/search_rows.rpc.h"

/* Requests a rebuild from the beginning, which the service's job carries out. */
SN_CHECKED sn_status rebuild_ask(struct db_tx *tx);
SN_CHECKED sn_status rebuild_progress(struct db_tx *tx, size_t *n, SearchRows__Rebuild ***rows);

#endif
