/* What a viewer did with a note (liked, renoted, bookmarked), cached in memory by the owning process. */
#ifndef SERVICES_NOTE_MARKS_H
#define SERVICES_NOTE_MARKS_H

#include "db/db.h"
#include "services/note/note.rpc.h"

SN_CHECKED sn_status marks_start(size_t max_bytes);
void marks_stop(void);

/* marks[i] is for viewers[i] and ids[i]; all false for the viewer "". */
SN_CHECKED sn_status marks_get(struct rpc_call *c, char *const *viewers, char *const *ids, size_t n,
                               Note__NoteViewer *marks);
void marks_changed(struct db_tx *tx, const char *viewer, const char *note_id);

#endif
