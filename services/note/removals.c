/* Owns what the author of a note removes from under it. The comment stays its maker's: they alone still see it, and may
 * delete it. */
#include "services/note/note.h"

#include "services/note/show.h"
#include "services/note/store.h"
#include "services/note/stored.h"

/* The note under which the actor may remove: their own. */
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

/* Also one that the actor cannot see: its maker may be somebody whom they block. What stands elsewhere takes the same
 * statements as what is not there. */
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

/* Once: its parent has one comment less to show. */
static sn_status hide(struct db_tx *tx, const Note__Note *comment)
{
        Note__NoteCounts delta = NOTE__NOTE_COUNTS__INIT;
        bool removed = false, counted = false;

        TRY(store_remove_comment(tx, comment->id, &removed, &counted));
        if (!removed) {
                return SN_OK;
        }
        stored_changed(tx, comment->id);
        delta.comments = -1;
        if (counted) {
                TRY(count_reaction(tx, comment->parent_id, &delta));
        }
        return outbox_put(tx, &(struct outbox_event){.type = EVENT_COMMENT_REMOVED,
                                                     .aggregate_id = comment->id,
                                                     .object_id = comment->parent_id});
}

/* Idempotent. One's own comment is deleted. */
sn_status note_handle_remove_comment(struct rpc_call *c, const Note__RemoveCommentRequest *in,
                                     Google__Protobuf__Empty *out)
{
        CLEANUP(db_end) struct db_tx *tx = NULL;
        NoteRows__StoredNote *note = NULL;
        Note__Note *comment = NULL;

        TRY(check_own(c, in->id, &note));
        TRY(db_begin(c, &tx));
        TRY(lock_comment(tx, in->comment_id, note->note->id, &comment));
        TRY(uuid_equal(comment->author->id, c->actor) ? delete_written(tx, comment) : hide(tx, comment));
        return db_commit(c, NULL, &tx);
}
