/* Renoters: who passed a note on, the newest cached in memory by their owner. */
#ifndef SERVICES_NOTE_RENOTERS_H
#define SERVICES_NOTE_RENOTERS_H

#include "db/db.h"
#include "services/note/note.rpc.h"

SN_CHECKED sn_status renoters_start(size_t max_bytes);
void renoters_stop(void);
void renoters_changed(struct db_tx *tx, const char *note_id);

/* notes[i] is shown to viewers[i]. A renote stands for all who passed its note on and whose renotes the viewer has at
 * home: whom they follow and do not mute, and themselves. Fills in the renotes' renoted_by; next[i] is the id of the
 * first such renote of the same note after notes[i], "" when there is none. Of each note the newest 50 renoters are
 * known. */
SN_CHECKED sn_status renoters_show(struct rpc_call *c, char *const *viewers, Note__Note *const *notes, size_t n,
                                   char **next);
/* One member as renoted_by. */
Note__RenotedBy *renoters_one(struct arena *arena, User__Author *author);

#endif
