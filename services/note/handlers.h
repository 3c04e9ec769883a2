/* The handlers of note_service, as note.c lists them. */
#ifndef SERVICES_NOTE_HANDLERS_H
#define SERVICES_NOTE_HANDLERS_H

#include "db/db.h"
#include "services/note/note.rpc.h"
#include "services/note/note_rows.rpc.h"

#define EVENT_NOTE_CREATED    "note.created"
#define EVENT_NOTE_DELETED    "note.deleted"
#define EVENT_RENOTE_CREATED  "renote.created"
#define EVENT_RENOTE_DELETED  "renote.deleted"
#define EVENT_COMMENT_CREATED "comment.created"
#define EVENT_COMMENT_DELETED "comment.deleted"

sn_status create_note(struct rpc_call *c, const Note__CreateNoteRequest *in, Note__Note *out);
sn_status get_note(struct rpc_call *c, const Note__GetNoteRequest *in, Note__Note *out);
sn_status edit_note(struct rpc_call *c, const Note__EditNoteRequest *in, Note__Note *out);
sn_status delete_note(struct rpc_call *c, const Note__DeleteNoteRequest *in, Google__Protobuf__Empty *out);
sn_status like_note(struct rpc_call *c, const Note__LikeNoteRequest *in, Note__Note *out);
sn_status unlike_note(struct rpc_call *c, const Note__UnlikeNoteRequest *in, Note__Note *out);
sn_status renote_note(struct rpc_call *c, const Note__RenoteNoteRequest *in, Note__Note *out);
sn_status unrenote_note(struct rpc_call *c, const Note__UnrenoteNoteRequest *in, Note__Note *out);
sn_status bookmark_note(struct rpc_call *c, const Note__BookmarkNoteRequest *in, Note__Note *out);
sn_status unbookmark_note(struct rpc_call *c, const Note__UnbookmarkNoteRequest *in, Note__Note *out);
sn_status list_bookmarks(struct rpc_call *c, const Note__ListBookmarksRequest *in, Note__NoteList *out);
sn_status create_comment(struct rpc_call *c, const Note__CreateCommentRequest *in, Note__Note *out);
sn_status list_comments(struct rpc_call *c, const Note__ListCommentsRequest *in, Note__NoteList *out);
sn_status get_thread(struct rpc_call *c, const Note__GetThreadRequest *in, Note__Thread *out);
sn_status batch_get(struct rpc_call *c, const Note__BatchGetRequest *in, Note__Notes *out);
sn_status list_ids_by_authors(struct rpc_call *c, const Note__ListIdsByAuthorsRequest *in, Note__NoteRefs *out);
sn_status list_ids_by_hashtag(struct rpc_call *c, const Note__ListIdsByHashtagRequest *in, Note__NoteRefs *out);

/* Changes a note's counters and drops what was cached of it. */
SN_CHECKED sn_status count_reaction(struct db_tx *tx, const char *note_id, const Note__NoteCounts *delta);
/* Ends the actor's renote of a note, if there is one: the note that passed it on, its row, the count, the event. */
SN_CHECKED sn_status end_renote(struct db_tx *tx, const char *note_id, bool *ended);

#endif
