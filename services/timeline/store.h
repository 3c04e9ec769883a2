/* The SQL of timeline_service. All take an open transaction or read. */
#ifndef SERVICES_TIMELINE_STORE_H
#define SERVICES_TIMELINE_STORE_H

#include "db/db.h"
#include "services/note/note.rpc.h"
#include "services/timeline/timeline_rows.rpc.h"

/* How many entries a tail keeps; also in Redis. */
#define TIMELINE_TAIL 800

/* *found is false for a member whose timeline was never materialised. */
SN_CHECKED sn_status store_state(struct db_tx *tx, const char *owner, TimelineRows__State *state, bool *found);
/* Makes delivery include the owner from the commit on: a new row, or a stale one whose entries go. Leaves a fresh one
 * alone. */
SN_CHECKED sn_status store_start_build(struct db_tx *tx, const char *owner);
SN_CHECKED sn_status store_insert_entries(struct db_tx *tx, const char *owner, Note__NoteRef *const *refs, size_t n);
/* All notes of those followed up to version are in, from floor_id up ("": all that there are). What lies below the
 * floor is no list: some authors' notes are there, others' are not. */
SN_CHECKED sn_status store_finish_pull(struct db_tx *tx, const char *owner, int64_t version, const char *floor_id);
SN_CHECKED sn_status store_touch(struct db_tx *tx, const char *owner);
/* Older than before_id ("": from the newest), the newest first; down to the floor. */
SN_CHECKED sn_status store_entries(struct db_tx *tx, const char *owner, const char *before_id, size_t limit, size_t *n,
                                   Note__NoteRef ***refs);

/* Entries for those of the members whose timelines are materialised and alive; gives these. */
SN_CHECKED sn_status store_deliver(struct db_tx *tx, char **members, size_t n_members, const char *note_id,
                                   const char *author_id, size_t *n, TimelineRows__Owner ***owners);
SN_CHECKED sn_status store_delete_note_entries(struct db_tx *tx, const char *note_id);
/* Cuts tails that grew half over their length; a bounded number a call. */
SN_CHECKED sn_status store_prune(struct db_tx *tx, int64_t *deleted);

#endif
