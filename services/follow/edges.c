/* Owns following and unfollowing. */
#include "services/follow/follow.h"

#include "bus/bus.h"
#include "services/follow/relations.h"
#include "services/follow/store.h"
#include "services/user/user.rpc.h"

sn_status check_member(struct rpc_call *c, const char *user_id)
{
        User__BatchGetAuthorsRequest in = USER__BATCH_GET_AUTHORS_REQUEST__INIT;
        User__Authors found = USER__AUTHORS__INIT;
        char *ids[1] = {(char *)user_id};

        in.ids = ids;
        in.n_ids = 1;
        TRY(user_batch_get_authors(c, &in, &found));
        return found.n_items == 1 && found.items[0]->id[0] != '\0'
                   ? SN_OK
                   : rpc_fail(c, SN_NOT_FOUND, "user_id", "there is no member with this id");
}

sn_status check_other_member(struct rpc_call *c, const char *user_id, const char *verb)
{
        if (uuid_equal(user_id, c->actor)) {
                return rpc_fail(c, SN_INVALID_ARGUMENT, "user_id", "you cannot %s yourself", verb);
        }
        return check_member(c, user_id);
}

/* Follow a member. Idempotent; emits follow.created once per new edge. */
sn_status follow_handle_follow_user(struct rpc_call *c, const Follow__FollowUserRequest *in, Follow__Relationship *out)
{
        CLEANUP(db_rollback_p) struct db_tx *tx = NULL;
        bool created = false;

        TRY(check_other_member(c, in->user_id, "follow"));
        TRY(db_begin(c, &tx));
        TRY(store_lock(tx, c->actor, in->user_id)); /* a block cannot slip in between check and insert */
        TRY(store_check_not_blocked(tx, c->actor, in->user_id));
        TRY(store_insert_follow(tx, c->actor, in->user_id, &created));
        if (created) {
                relations_changed(tx, c->actor, in->user_id);
                TRY(outbox_put(tx, &(struct outbox_event){.type = EVENT_FOLLOW_CREATED,
                                                          .aggregate_id = c->actor,
                                                          .object_id = in->user_id}));
        }
        TRY(relations_answer(tx, in->user_id, out));
        return db_commit(c, NULL, &tx);
}

sn_status end_follow(struct db_tx *tx, const char *follower, const char *followee)
{
        bool deleted = false;

        TRY(store_delete_follow(tx, follower, followee, &deleted));
        if (!deleted) {
                return SN_OK;
        }
        relations_changed(tx, follower, followee);
        return outbox_put(
            tx, &(struct outbox_event){.type = EVENT_FOLLOW_DELETED, .aggregate_id = follower, .object_id = followee});
}

sn_status follow_handle_unfollow_user(struct rpc_call *c, const Follow__UnfollowUserRequest *in,
                                      Follow__Relationship *out)
{
        CLEANUP(db_rollback_p) struct db_tx *tx = NULL;

        TRY(check_other_member(c, in->user_id, "unfollow"));
        TRY(db_begin(c, &tx));
        TRY(store_lock(tx, c->actor, in->user_id));
        TRY(end_follow(tx, c->actor, in->user_id));
        TRY(relations_answer(tx, in->user_id, out));
        return db_commit(c, NULL, &tx);
}
