/* Recent: the newest notes of an author (no comments), cached in memory by their owner. */
#ifndef SERVICES_NOTE_RECENT_H
#define SERVICES_NOTE_RECENT_H

#include "db/db.h"
#include "services/note/note.rpc.h"

SN_CHECKED sn_status recent_start(size_t max_bytes);
void recent_stop(void);

/* Like store_ids_by_authors for one author, from memory where it reaches. */
SN_CHECKED sn_status recent_list(struct rpc_call *c, char *author, const char *before_id, size_t limit, size_t *n,
                                 Note__NoteRef ***refs);
void recent_changed(struct db_tx *tx, const char *author);

#endif
