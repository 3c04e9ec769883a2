/* The members who renoted a note; the newest are cached in memory by the owning process. */
#ifndef SERVICES_NOTE_RENOTERS_H
#define SERVICES_NOTE_RENOTERS_H

#include "db/db.h"
#include "services/note/note.rpc.h"

SN_CHECKED sn_status renoters_start(size_t max_bytes);
void renoters_stop(void);
void renoters_changed(struct db_tx *tx, const char *note_id);

/* notes[i] is shown to viewers[i]. A renote represents all renotes of its note that are on the viewer's home
 * timeline: those of members whom they follow and do not mute, and their own. Fills in renoted_by; next[i] is the ID
 * of the next such renote of the same note after notes[i], or "". The newest 50 renoters of each note are known. */
SN_CHECKED sn_status renoters_show(struct rpc_call *c, char *const *viewers, Note__Note *const *notes, size_t n,
                                   char **next);
/* One member, in the form of renoted_by. */
Note__RenotedBy *renoters_one(struct arena *arena, User__Author *author);

#endif
