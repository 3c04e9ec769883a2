/* Owns removing comments from one's own note. A removed comment still belongs to its author, who alone still sees it
 * and may delete it. */
#include "services/note/note.h"

#include "services/note/show.h"
#include "services/note/store.h"
#include "services/note/stored.h"

/* The note from which the actor may remove comments: their own. */
static sn_status check_own(struct rpc_call *c, char *id, NoteRows__StoredNote **note)
{
        TRY(show_check(c, id, note));
        return uuid_equal((*note)->note->author->id, c->actor)
                   ? SN_OK
                   : rpc_fail(c, SN_PERMISSION_DENIED, "id", "only the author of a note can remove comments from it");
}

static sn_status no_such_comment(struct rpc_call *c)
{
        return rpc_fail(c, SN_NOT_FOUND, "comment_id", "there is no comment with this id under the note");
}

/* Includes comments that the actor cannot see, as from a member whom they block. A comment elsewhere takes the same
 * statements as one that does not exist. */
static sn_status lock_comment(struct db_tx *tx, char *id, const char *note_id, Note__Note **comment)
{
        NoteRows__StoredNote **rows = NULL;
        bool below = false;
        size_t n = 0;

        TRY(store_lock_comment(tx, id, note_id, &below));
        if (!below) {
                return no_such_comment(db_call(tx));
        }
        TRY(store_notes(tx, &id, 1, &n, &rows));
        *comment = n > 0 ? rows[0]->note : NULL;
        return n > 0 ? SN_OK : no_such_comment(db_call(tx));
}

/* Only once: its parent then has one comment less. */
static sn_status hide_comment(struct db_tx *tx, const Note__Note *comment)
{
        Note__NoteCounts delta = NOTE__NOTE_COUNTS__INIT;
        bool removed = false, counted = false;

        stored_changed(tx, comment->id);
        TRY(store_remove_comment(tx, comment->id, &removed, &counted));
        if (!removed) {
                return SN_OK;
        }
        delta.comments = -1;
        if (counted) {
                TRY(count_reaction(tx, comment->parent_id, &delta));
        }
        return outbox_put(tx, &(struct outbox_event){.type = EVENT_COMMENT_REMOVED,
                                                     .aggregate_id = comment->id,
                                                     .object_id = comment->parent_id});
}

/* Idempotent. A comment of one's own is deleted. */
sn_status note_handle_remove_comment(struct rpc_call *c, const Note__RemoveCommentRequest *in,
                                     Google__Protobuf__Empty *out)
{
        CLEANUP(db_end) struct db_tx *tx = NULL;
        NoteRows__StoredNote *note = NULL;
        Note__Note *comment = NULL;

        TRY(check_own(c, in->id, &note));
        TRY(db_begin(c, &tx));
        TRY(lock_comment(tx, in->comment_id, note->note->id, &comment));
        TRY(uuid_equal(comment->author->id, c->actor) ? delete_written(tx, comment) : hide_comment(tx, comment));
        return db_commit(c, NULL, &tx);
}
