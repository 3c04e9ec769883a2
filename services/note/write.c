/* Owns writing notes: create, read one, edit, delete. */
#include "services/note/handlers.h"

#include "bus/bus.h"
#include "services/note/draft.h"
#include "services/note/recent.h"
#include "services/note/show.h"
#include "services/note/store.h"
#include "services/note/stored.h"

sn_status create_note(struct rpc_call *c, const Note__CreateNoteRequest *in, Note__Note *out)
{
        CLEANUP(db_rollback_p) struct db_tx *tx = NULL;
        struct draft draft;

        TRY(draft_new(c, in->text, &draft));
        if (in->visibility != NOTE__VISIBILITY__VISIBILITY_UNSPECIFIED) {
                draft.visibility = (int)in->visibility;
        }
        TRY(draft_show(c, &draft, out));
        TRY(db_begin(c, &tx));
        TRY(store_insert_note(tx, &draft));
        recent_changed(tx, c->actor);
        TRY(outbox_put(tx, &(struct outbox_event){
                               .type = EVENT_NOTE_CREATED, .aggregate_id = draft.id, .object_id = "", .version = 1}));
        return db_commit(c, &out->base, &tx);
}

sn_status get_note(struct rpc_call *c, const Note__GetNoteRequest *in, Note__Note *out)
{
        return show_note(c, in->id, out);
}

/* The actor's own note; another's is forbidden when it can be seen, and not found otherwise. */
static sn_status check_own(struct rpc_call *c, char *id, Note__Note *note)
{
        TRY(show_note(c, id, note));
        if (!uuid_equal(note->author->id, c->actor)) {
                return rpc_fail(c, SN_PERMISSION_DENIED, "id", "only its author can change a note");
        }
        return SN_OK;
}

sn_status edit_note(struct rpc_call *c, const Note__EditNoteRequest *in, Note__Note *out)
{
        CLEANUP(db_rollback_p) struct db_tx *tx = NULL;
        Note__Note note = NOTE__NOTE__INIT;
        struct draft draft;
        int64_t version = 0;

        TRY(check_own(c, in->id, &note));
        if (note.renote_of != NULL) {
                return rpc_fail(c, SN_FAILED_PRECONDITION, "id", "a renote has no text to edit");
        }
        TRY(draft_new(c, in->text, &draft));
        draft.id = in->id;
        TRY(db_begin(c, &tx));
        TRY(store_update_text(tx, &draft, &version));
        stored_changed(tx, in->id);
        TRY(db_commit(c, NULL, &tx));
        return show_note(c, in->id, out);
}

/* Takes a comment out of its parent's count. */
static sn_status delete_plain(struct db_tx *tx, const Note__Note *note)
{
        bool comment = note->parent_id[0] != '\0';
        bool deleted = false;

        TRY(store_delete_note(tx, note->id, note->author->id, &deleted));
        if (!deleted) {
                return SN_OK;
        }
        stored_changed(tx, note->id);
        recent_changed(tx, note->author->id);
        if (comment) {
                Note__NoteCounts delta = NOTE__NOTE_COUNTS__INIT;

                delta.comments = -1;
                TRY(count_reaction(tx, note->parent_id, &delta));
        }
        return outbox_put(tx, &(struct outbox_event){.type = comment ? EVENT_COMMENT_DELETED : EVENT_NOTE_DELETED,
                                                     .aggregate_id = note->id,
                                                     .object_id = note->parent_id,
                                                     .version = INT64_MAX});
}

/* Idempotent in effect; a second call finds no note. */
sn_status delete_note(struct rpc_call *c, const Note__DeleteNoteRequest *in, Google__Protobuf__Empty *out)
{
        CLEANUP(db_rollback_p) struct db_tx *tx = NULL;
        Note__Note note = NOTE__NOTE__INIT;

        TRY(check_own(c, in->id, &note));
        TRY(db_begin(c, &tx));
        if (note.renote_of != NULL) {
                TRY(end_renote(tx, note.renote_of->id));
        } else {
                TRY(delete_plain(tx, &note));
        }
        return db_commit(c, NULL, &tx);
}
