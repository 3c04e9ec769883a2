/* Shared by the files of note_service. */
#ifndef SERVICES_NOTE_NOTE_H
#define SERVICES_NOTE_NOTE_H

#include "db/db.h"
#include "services/services.h"
#include "services/note/note.service.h"
#include "services/note/note_rows.rpc.h"

#define EVENT_NOTE_CREATED "note.created"
#define EVENT_NOTE_EDITED  "note.edited"
#define EVENT_NOTE_DELETED "note.deleted"
#define EVENT_NOTE_COUNTED "note.counted"
/* Emitted instead of note.counted, so consumers of counts need both; actor: the member who likes. */
#define EVENT_NOTE_LIKED     "note.liked"
#define EVENT_NOTE_UNLIKED   "note.unliked"
#define EVENT_NOTE_REDACTED  "note.redacted" /* an erased member was removed from its mentions or audience */
#define EVENT_AUTHOR_ERASED  "author.erased" /* their data here are gone; aggregate: the member */
#define EVENT_RENOTE_CREATED "renote.created"
#define EVENT_RENOTE_DELETED "renote.deleted"
/* For media_service only, which does not publish them: also for notes that only their author sees. */
#define EVENT_NOTE_MEDIA_ATTACHED "note.media_attached"
#define EVENT_NOTE_MEDIA_DETACHED "note.media_detached"
#define EVENT_COMMENT_CREATED     "comment.created"
#define EVENT_COMMENT_DELETED     "comment.deleted"
#define EVENT_COMMENT_REMOVED     "comment.removed"

/* Changes a note's counters, emits the event, and drops it from the cache. */
SN_CHECKED sn_status count_reaction(struct db_tx *tx, const char *note_id, const Note__NoteCounts *delta);
/* Deletes a note or comment that is not a renote, and emits the event; decrements the parent's count of comments. */
SN_CHECKED sn_status delete_written(struct db_tx *tx, const Note__Note *note);
/* Undoes the actor's renote of a note, if there is one: the renoting note, its row, the count, the event. */
SN_CHECKED sn_status end_renote(struct db_tx *tx, const char *note_id, bool *counted);

/* store_export.c */
extern const struct service_export note_exports[];

#endif
