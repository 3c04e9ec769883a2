/* Owns blocking, which ends follows and follow requests in both directions. */
#include "services/follow/follow.h"

#include "services/follow/relations.h"
#include "services/follow/requests.h"
#include "services/follow/store.h"

sn_status follow_handle_block_user(struct rpc_call *c, const Follow__BlockUserRequest *in, Follow__Relationship *out)
{
        CLEANUP(db_end) struct db_tx *tx = NULL;
        char *other = NULL;

        TRY(find_other_member(c, in->user_id, "block", &other));
        TRY(db_begin(c, &tx));
        TRY(store_lock(tx, c->actor, other));
        TRY(store_insert_block(tx, c->actor, other));
        TRY(end_request(tx, c->actor, other));
        TRY(end_request(tx, other, c->actor));
        TRY(end_follow(tx, c->actor, other));
        TRY(end_follow(tx, other, c->actor));
        relations_changed(tx, c->actor, other);
        TRY(relations_answer(tx, other, out));
        return db_commit(c, NULL, &tx);
}

sn_status follow_handle_unblock_user(struct rpc_call *c, const Follow__UnblockUserRequest *in,
                                     Follow__Relationship *out)
{
        CLEANUP(db_end) struct db_tx *tx = NULL;
        char *other = NULL;

        TRY(find_other_member(c, in->user_id, "unblock", &other));
        TRY(db_begin(c, &tx));
        TRY(store_delete_block(tx, c->actor, other));
        relations_changed(tx, c->actor, other);
        TRY(relations_answer(tx, other, out));
        return db_commit(c, NULL, &tx);
}
