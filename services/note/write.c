/* Owns creating, reading, editing and deleting notes. */
#include "services/note/note.h"

#include <string.h>
#include "bus/bus.h"
#include "db/together.h"
#include "services/note/draft.h"
#include "services/note/recent.h"
#include "services/note/show.h"
#include "services/note/store.h"
#include "services/note/stored.h"
#include "services/note/visibility.h"

/* The default is public, or followers for a private account. */
static int choose_visibility(const Note__CreateNoteRequest *in, const User__Author *author)
{
        if (in->visibility != NOTE__VISIBILITY__VISIBILITY_UNSPECIFIED) {
                return (int)in->visibility;
        }
        return author->private_ ? NOTE__VISIBILITY__VISIBILITY_FOLLOWERS : NOTE__VISIBILITY__VISIBILITY_PUBLIC;
}

static struct outbox_event event_of(const struct draft *draft, const char *type, int64_t version)
{
        return (struct outbox_event){.type = type,
                                     .aggregate_id = draft->id,
                                     .object_id = "",
                                     .actor_id = draft->author_id,
                                     .version = version,
                                     .trace_id = draft->trace_id};
}

/* The notes of several calls; parts are their drafts. */
static sn_status write_notes(struct db_tx *tx, void *const *parts, size_t n)
{
        const struct draft *const *drafts = (const struct draft *const *)parts;
        struct outbox_event *events = ARENA_ARRAY(db_arena(tx), struct outbox_event, 2 * n);
        size_t n_events = 0;

        TRY(draft_store(tx, drafts, n));
        for (size_t i = 0; i < n; i++) {
                if (note_is_for_others(drafts[i]->visibility)) {
                        events[n_events++] = event_of(drafts[i], EVENT_NOTE_CREATED, 1);
                }
                if (drafts[i]->n_media_ids > 0) {
                        events[n_events++] = event_of(drafts[i], EVENT_NOTE_MEDIA_ATTACHED, 0);
                }
        }
        return outbox_put_all(tx, events, n_events);
}

static struct db_together new_notes = DB_TOGETHER(write_notes);

sn_status note_handle_create_note(struct rpc_call *c, const Note__CreateNoteRequest *in, Note__Note *out)
{
        struct draft draft;

        TRY(draft_new(c, in->text, &draft));
        TRY(draft_author(c, &draft));
        draft.visibility = choose_visibility(in, draft.author);
        TRY(draft_media(c, &draft, in->media_ids, in->n_media_ids));
        draft_show(c, &draft, out);
        return db_write_together(&new_notes, c, &draft, &out->base);
}

sn_status note_handle_get_note(struct rpc_call *c, const Note__GetNoteRequest *in, Note__Note *out)
{
        return show_note(c, in->id, out);
}

/* The actor's own note, whatever happened to the note that it renotes. Another member's is forbidden if visible, and
 * otherwise not found. Visibility is checked first, so that hidden and missing notes take the same reads. */
static sn_status check_own(struct rpc_call *c, char *id, NoteRows__StoredNote **stored)
{
        Note__Note note = NOTE__NOTE__INIT;
        bool found = false;

        TRY(show_find(c, id, &note, &found));
        TRY(stored_get(c, READ_FROM_ANYWHERE, &id, 1, stored));
        if (*stored != NULL && uuid_equal((*stored)->note->author->id, c->actor)) {
                return SN_OK;
        }
        return found ? rpc_fail(c, SN_PERMISSION_DENIED, "id", "only the author can change this note")
                     : show_not_found(c);
}

/* An unchanged text is not an edit. */
sn_status note_handle_edit_note(struct rpc_call *c, const Note__EditNoteRequest *in, Note__Note *out)
{
        CLEANUP(db_end) struct db_tx *tx = NULL;
        NoteRows__StoredNote *stored = NULL;
        struct draft draft;
        int64_t version = 0;

        TRY(check_own(c, in->id, &stored));
        if (stored->renote_of_id[0] != '\0') {
                return rpc_fail(c, SN_FAILED_PRECONDITION, "id", "a renote has no text to edit");
        }
        TRY(draft_new(c, in->text, &draft));
        draft.id = in->id;
        TRY(show_note(c, in->id, out));
        if (strcmp(in->text, out->text) == 0) {
                return SN_OK;
        }
        draft_show_edit(c, &draft, out);
        TRY(db_begin(c, &tx));
        TRY(store_update_text(tx, &draft, &version));
        stored_changed(tx, draft.id);
        if (note_is_for_others((int)stored->note->visibility)) {
                TRY(outbox_put(tx, &(struct outbox_event){.type = EVENT_NOTE_EDITED,
                                                          .aggregate_id = draft.id,
                                                          .object_id = stored->note->parent_id,
                                                          .version = version}));
        }
        return db_commit(c, NULL, &tx);
}

static sn_status uncount_comment(struct db_tx *tx, const Note__Note *comment)
{
        Note__NoteCounts delta = NOTE__NOTE_COUNTS__INIT;
        bool counted = false;

        TRY(store_is_counted(tx, comment->id, &counted));
        delta.comments = -1;
        return counted ? count_reaction(tx, comment->parent_id, &delta) : SN_OK;
}

sn_status delete_written(struct db_tx *tx, const Note__Note *note)
{
        bool comment = note->parent_id[0] != '\0';
        bool deleted = false, shows_media = false;

        stored_changed(tx, note->id); /* also of one that another request has just deleted, before this is answered */
        recent_changed(tx, note->author->id, (int)note->visibility);
        TRY(store_delete_note(tx, note->id, note->author->id, &deleted, &shows_media));
        if (!deleted) {
                return SN_OK;
        }
        if (comment) {
                TRY(uncount_comment(tx, note));
        }
        if (shows_media) {
                TRY(outbox_put(tx, &(struct outbox_event){
                                       .type = EVENT_NOTE_MEDIA_DETACHED, .aggregate_id = note->id, .object_id = ""}));
        }
        if (!note_is_for_others((int)note->visibility)) {
                return SN_OK;
        }
        return outbox_put(tx, &(struct outbox_event){.type = comment ? EVENT_COMMENT_DELETED : EVENT_NOTE_DELETED,
                                                     .aggregate_id = note->id,
                                                     .object_id = note->parent_id,
                                                     .version = INT64_MAX});
}

/* Idempotent in effect; a second call finds no note. */
sn_status note_handle_delete_note(struct rpc_call *c, const Note__DeleteNoteRequest *in, Google__Protobuf__Empty *out)
{
        CLEANUP(db_end) struct db_tx *tx = NULL;
        NoteRows__StoredNote *stored = NULL;
        bool counted = false;

        TRY(check_own(c, in->id, &stored));
        TRY(db_begin(c, &tx));
        if (stored->renote_of_id[0] != '\0') {
                stored_changed(tx, stored->note->id);
                TRY(end_renote(tx, stored->renote_of_id, &counted));
        } else {
                TRY(delete_written(tx, stored->note));
        }
        return db_commit(c, NULL, &tx);
}
