/* Owns muting conversations. */
#include "services/notification/notification.h"

#include "services/note/note.rpc.h"
#include "services/notification/store.h"

enum { MOST_MUTED = 1000 };

/* Finds the root of the conversation of a note, which the member must be able to see. */
static sn_status find_root(struct rpc_call *c, char *note_id, char **root)
{
        Note__BatchGetRequest seen = NOTE__BATCH_GET_REQUEST__INIT;
        Note__GetConcernedRequest in = NOTE__GET_CONCERNED_REQUEST__INIT;
        Note__Notes notes = NOTE__NOTES__INIT;
        Note__ConcernedList found = NOTE__CONCERNED_LIST__INIT;

        seen.viewer_id = (char *)c->actor;
        seen.ids = in.ids = &note_id;
        seen.n_ids = in.n_ids = 1;
        TRY(note_batch_get(c, &seen, &notes));
        if (notes.n_items == 0) {
                return rpc_fail(c, SN_NOT_FOUND, "id", "there is no note with this id");
        }
        TRY(note_get_concerned(c, &in, &found));
        *root = found.n_items == 1 && found.items[0]->root_id[0] != '\0' ? found.items[0]->root_id : note_id;
        return SN_OK;
}

static sn_status set_muted(struct db_tx *tx, const char *root)
{
        int64_t changed = 0;

        TRY(store_mute_thread(tx, db_call(tx)->actor, root, MOST_MUTED, &changed));
        return changed > 0 ? SN_OK
                           : rpc_fail(db_call(tx), SN_FAILED_PRECONDITION, NULL,
                                      "%d conversations are muted already; unmute one first", MOST_MUTED);
}

sn_status notification_handle_mute_thread(struct rpc_call *c, const Notification__MuteThreadRequest *in,
                                          Google__Protobuf__Empty *out)
{
        char *root = NULL;

        TRY(find_root(c, in->id, &root));
        return DB_WRITE(c, tx, set_muted(tx, root));
}

sn_status notification_handle_get_thread_mute(struct rpc_call *c, const Notification__GetThreadMuteRequest *in,
                                              Notification__ThreadMute *out)
{
        char *root = NULL, *actor = (char *)c->actor;
        NotificationRows__Pair **rows = NULL;
        size_t n = 0;

        TRY(find_root(c, in->id, &root));
        TRY(DB_READ(c, tx, store_muted_threads(tx, &actor, &root, 1, &n, &rows)));
        out->muted = n > 0;
        return SN_OK;
}

/* Does not look up the note, so that conversations of deleted or hidden notes can be unmuted. */
sn_status notification_handle_unmute_thread(struct rpc_call *c, const Notification__UnmuteThreadRequest *in,
                                            Google__Protobuf__Empty *out)
{
        Note__GetConcernedRequest ask = NOTE__GET_CONCERNED_REQUEST__INIT;
        Note__ConcernedList found = NOTE__CONCERNED_LIST__INIT;
        char *root = in->id;

        ask.ids = &root;
        ask.n_ids = 1;
        TRY(note_get_concerned(c, &ask, &found));
        root = found.n_items == 1 && found.items[0]->root_id[0] != '\0' ? found.items[0]->root_id : in->id;
        return DB_WRITE(c, tx, store_unmute_thread(tx, c->actor, root));
}
