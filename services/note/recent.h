/* The newest notes of an author (no comments), cached in memory by the owning process. */
#ifndef SERVICES_NOTE_RECENT_H
#define SERVICES_NOTE_RECENT_H

#include "db/db.h"
#include "services/note/note.rpc.h"
#include "services/page.h"

SN_CHECKED sn_status recent_start(size_t max_bytes);
void recent_stop(void);

/* How many authors are read from memory at a time; above that one query is used. */
#define RECENT_AUTHORS 50

/* Like store_ids_by_authors for a few authors, from memory as far as it goes back; may ignore scan->except. */
SN_CHECKED sn_status recent_list(struct rpc_call *c, char **authors, size_t n_authors, int seen_as,
                                 const struct page_scan *scan, size_t *n, Note__NoteRef ***refs);
/* The author wrote or deleted a note with this visibility. */
/* A new note, not a renote, that is committed with the transaction. id must outlive it. */
void recent_added(struct db_tx *tx, const char *author, int visibility, const char *id);
void recent_changed(struct db_tx *tx, const char *author, int visibility);

#endif
