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
                   : rpc_fail(c, SN_PERMISSION_DENIED, "id", "only its author can remove what was answered to a note");
}

static sn_status no_such_comment(struct rpc_call *c)
{
        return rpc_fail(c, SN_NOT_FOUND, "comment_id", "there is no comment with this id below the note");
}

/* Also one that the actor cannot see: its maker may be somebody whom they block. */
static sn_status find_comment(struct rpc_call *c, char *id, NoteRows__StoredNote **comment)
{
        TRY(stored_get(c, &id, 1, comment));
        return *comment != NULL && (*comment)->note->parent_id[0] != '\0' ? SN_OK : no_such_comment(c);
}

/* Once: its parent has one comment less to show. */
static sn_status hide(struct db_tx *tx, const Note__Note *comment)
{
        Note__NoteCounts delta = NOTE__NOTE_COUNTS__INIT;
        bool removed = false;

        TRY(store_remove_comment(tx, comment->id, &removed));
        if (!removed) {
                return SN_OK;
        }
        stored_changed(tx, comment->id);
        delta.comments = -1;
        return count_reaction(tx, comment->parent_id, &delta);
}

/* Idempotent. One's own comment is deleted. */
sn_status note_handle_remove_comment(struct rpc_call *c, const Note__RemoveCommentRequest *in,
                                     Google__Protobuf__Empty *out)
{
        CLEANUP(db_end) struct db_tx *tx = NULL;
        NoteRows__StoredNote *note = NULL, *comment = NULL;
        bool below = false;

        TRY(check_own(c, in->id, &note));
        TRY(find_comment(c, in->comment_id, &comment));
        TRY(db_begin(c, &tx));
        TRY(store_lock_comment(tx, comment->note->id, note->note->id, &below));
        if (!below) {
                return no_such_comment(c);
        }
        TRY(uuid_equal(comment->note->author->id, c->actor) ? delete_written(tx, comment->note)
                                                            : hide(tx, comment->note));
        return db_commit(c, NULL, &tx);
}
