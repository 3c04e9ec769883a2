/* Stored notes: what does not depend on who reads, cached in memory by its owner. */
#ifndef SERVICES_NOTE_STORED_H
#define SERVICES_NOTE_STORED_H

#include "cache/read_from.h"
#include "db/db.h"
#include "services/note/note_rows.rpc.h"

SN_CHECKED sn_status stored_start(size_t max_bytes);
void stored_stop(void);

/* stored[i] is the note ids[i], NULL when there is none or it was deleted. Read-only; lives as long as the call. */
SN_CHECKED sn_status stored_get(struct rpc_call *c, enum read_from from, char *const *ids, size_t n,
                                NoteRows__StoredNote **stored);
/* Puts into stored what was deleted or removed, as it was; read from the database. Without hashtags and mentions.
 * was_removed, unless it is NULL: by the author of the note above, also when it was deleted later. */
SN_CHECKED sn_status stored_get_deleted(struct rpc_call *c, char *const *ids, size_t n, NoteRows__StoredNote **stored,
                                        bool *was_removed);
/* The note changes in this transaction (counts too): dropped when it ends. */
void stored_changed(struct db_tx *tx, const char *note_id);

#endif
