/* Marks: what a viewer did with a note (liked, renoted, bookmarked), cached in memory by their owner. */
#ifndef SERVICES_NOTE_MARKS_H
#define SERVICES_NOTE_MARKS_H

#include "db/db.h"
#include "services/note/note.rpc.h"

SN_CHECKED sn_status marks_start(size_t max_bytes);
void marks_stop(void);

/* marks[i] belongs to ids[i]; all false for a viewer "". */
SN_CHECKED sn_status marks_get(struct rpc_call *c, const char *viewer, char *const *ids, size_t n,
                               Note__NoteViewer *marks);
/* Reads those of many viewers on one note in one round trip, so that asking for each of them takes none. */
SN_CHECKED sn_status marks_prefetch(struct rpc_call *c, char *const *viewers, size_t n, const char *note_id);
void marks_changed(struct db_tx *tx, const char *viewer, const char *note_id);

#endif
