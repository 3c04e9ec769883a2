/* Stored notes: the parts that do not depend on the reader, cached in memory by the owning process. */
#ifndef SERVICES_NOTE_STORED_H
#define SERVICES_NOTE_STORED_H

#include "cache/read_from.h"
#include "db/db.h"
#include "services/note/note_rows.rpc.h"

SN_CHECKED sn_status stored_start(size_t max_bytes);
void stored_stop(void);

/* stored[i] is the note ids[i], NULL if it does not exist or was deleted. Read-only; valid as long as the call. */
SN_CHECKED sn_status stored_get(struct rpc_call *c, enum read_from from, char *const *ids, size_t n,
                                NoteRows__StoredNote **stored);
/* Adds deleted or removed notes as they were, from the database, without hashtags and mentions. was_removed (may be
 * NULL): removed by the author of the note above, even if deleted later. */
SN_CHECKED sn_status stored_get_deleted(struct rpc_call *c, char *const *ids, size_t n, NoteRows__StoredNote **stored,
                                        bool *was_removed);
/* This transaction creates the note: it is cached after its COMMIT. The row, as stored_get returns it, must stay valid
 * until then. */
void stored_added(struct db_tx *tx, const NoteRows__StoredNote *row);
/* The note changes in this transaction (including counts): dropped from the cache when it ends. */
void stored_changed(struct db_tx *tx, const char *note_id);

#endif
