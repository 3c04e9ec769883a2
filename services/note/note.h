/* What the files of note_service share. */
#ifndef SERVICES_NOTE_NOTE_H
#define SERVICES_NOTE_NOTE_H

#include "db/db.h"
#include "services/services.h"
#include "services/note/note.service.h"
#include "services/note/note_rows.rpc.h"

#define EVENT_NOTE_CREATED   "note.created"
#define EVENT_NOTE_EDITED    "note.edited"
#define EVENT_NOTE_DELETED   "note.deleted"
#define EVENT_NOTE_COUNTED   "note.counted"
#define EVENT_NOTE_LIKED     "note.liked" /* instead of note.counted: who follows counts takes both; actor: who likes */
#define EVENT_NOTE_UNLIKED   "note.unliked"
#define EVENT_NOTE_REDACTED  "note.redacted" /* somebody who was erased was taken out of it, or of who may see it */
#define EVENT_AUTHOR_ERASED  "author.erased" /* nothing here names them any more; aggregate: the member */
#define EVENT_RENOTE_CREATED "renote.created"
#define EVENT_RENOTE_DELETED "renote.deleted"
/* For media_service alone, which says nothing of them to anybody: of notes that only their author sees, too. */
#define EVENT_NOTE_MEDIA_ATTACHED "note.media_attached"
#define EVENT_NOTE_MEDIA_DETACHED "note.media_detached"
#define EVENT_COMMENT_CREATED     "comment.created"
#define EVENT_COMMENT_DELETED     "comment.deleted"
#define EVENT_COMMENT_REMOVED     "comment.removed"

/* Changes a note's counters, with its event, and drops what was cached of it. */
SN_CHECKED sn_status count_reaction(struct db_tx *tx, const char *note_id, const Note__NoteCounts *delta);
/* Deletes a note or comment that is no renote, with its event; takes a comment out of its parent's count. */
SN_CHECKED sn_status delete_written(struct db_tx *tx, const Note__Note *note);
/* Ends the actor's renote of a note, if there is one: the note that passed it on, its row, the count, the event. */
SN_CHECKED sn_status end_renote(struct db_tx *tx, const char *note_id, bool *counted);

/* store_export.c */
extern const struct service_export note_exports[];

#endif
