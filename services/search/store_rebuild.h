/* The SQL of the rebuild. */
#ifndef SERVICES_SEARCH_STORE_REBUILD_H
#define SERVICES_SEARCH_STORE_REBUILD_H

#include "db/db.h"
#include "services/search/search_rows.rpc.h"

/* Requests a rebuild of the notes if some were indexed without their pairs of frequent words. */
SN_CHECKED sn_status store_ask_pairs(struct db_tx *tx);
/* last_id: "" at the end. */
SN_CHECKED sn_status store_advance_rebuild(struct db_tx *tx, const SearchRows__Rebuild *from, const char *last_id,
                                           size_t checked);
/* Deletes notes of the index after one id and up to another ("": to the end) that are not among the ids. */
SN_CHECKED sn_status store_delete_stray_notes(struct db_tx *tx, const char *after_id, const char *last_id, char **ids,
                                              size_t n);
/* Members of the index after an id and up to last_id ("": to the end) that are not among the ids. */
SN_CHECKED sn_status store_stray_members(struct db_tx *tx, const char *after_id, const char *last_id, char **ids,
                                         size_t n_ids, size_t limit, size_t *n, SearchRows__MemberId ***rows);

#endif
