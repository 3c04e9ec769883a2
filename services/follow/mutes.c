/* Owns muting, which only the muting member knows of: it emits no event. */
#include "services/follow/follow.h"

#include "services/follow/relations.h"
#include "services/follow/store.h"

sn_status follow_handle_mute_user(struct rpc_call *c, const Follow__MuteUserRequest *in, Follow__Relationship *out)
{
        CLEANUP(db_end) struct db_tx *tx = NULL;
        char *other = NULL;

        TRY(find_other_member(c, in->user_id, "mute", &other));
        TRY(db_begin(c, &tx));
        TRY(store_insert_mute(tx, c->actor, other));
        relations_changed(tx, c->actor, other);
        TRY(relations_answer(tx, other, out));
        return db_commit(c, NULL, &tx);
}

sn_status follow_handle_unmute_user(struct rpc_call *c, const Follow__UnmuteUserRequest *in, Follow__Relationship *out)
{
        CLEANUP(db_end) struct db_tx *tx = NULL;
        char *other = NULL;

        TRY(find_other_member(c, in->user_id, "unmute", &other));
        TRY(db_begin(c, &tx));
        TRY(store_delete_mute(tx, c->actor, other));
        relations_changed(tx, c->actor, other);
        TRY(relations_answer(tx, other, out));
        return db_commit(c, NULL, &tx);
}
