/* The newest notes of many authors, without asking PostgreSQL for those of authors who have none on the page: in the
 * memory of the owning process is when each last wrote. */
#ifndef SERVICES_NOTE_NEWEST_H
#define SERVICES_NOTE_NEWEST_H

#include "db/db.h"
#include "services/note/note.rpc.h"
#include "services/page.h"

SN_CHECKED sn_status newest_start(size_t max_bytes);
void newest_stop(void);

/* Like store_ids_by_authors; contains everything that was committed before the call. */
SN_CHECKED sn_status newest_list(struct rpc_call *c, char **authors, size_t n_authors, int seen_as,
                                 const struct page_scan *scan, size_t *n, Note__NoteRef ***refs);
/* The author writes a note (no comment) with this visibility in this transaction. Deleting one changes nothing here. */
void newest_added(struct db_tx *tx, const char *author, int visibility);

#endif
