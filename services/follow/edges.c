/* Owns following and unfollowing. */
#include "services/follow/follow.h"

#include "bus/bus.h"
#include "services/follow/relations.h"
#include "services/follow/store.h"
#include "services/member.h"

sn_status find_other_member(struct rpc_call *c, char *name, const char *verb, char **id)
{
        TRY(member_find(c, name, id));
        return uuid_equal(*id, c->actor) ? rpc_fail(c, SN_INVALID_ARGUMENT, "user_id", "you cannot %s yourself", verb)
                                         : SN_OK;
}

/* Follow a member. Idempotent; emits follow.created once per new edge. */
sn_status follow_handle_follow_user(struct rpc_call *c, const Follow__FollowUserRequest *in, Follow__Relationship *out)
{
        CLEANUP(db_end) struct db_tx *tx = NULL;
        char *other = NULL;
        bool created = false;

        TRY(find_other_member(c, in->user_id, "follow", &other));
        TRY(db_begin(c, &tx));
        TRY(store_lock(tx, c->actor, other)); /* a block cannot slip in between check and insert */
        TRY(store_check_not_blocked(tx, c->actor, other));
        TRY(store_insert_follow(tx, c->actor, other, &created));
        if (created) {
                relations_changed(tx, c->actor, other);
                TRY(outbox_put(tx, &(struct outbox_event){
                                       .type = EVENT_FOLLOW_CREATED, .aggregate_id = c->actor, .object_id = other}));
        }
        TRY(relations_answer(tx, other, out));
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
        CLEANUP(db_end) struct db_tx *tx = NULL;
        char *other = NULL;

        TRY(find_other_member(c, in->user_id, "unfollow", &other));
        TRY(db_begin(c, &tx));
        TRY(store_lock(tx, c->actor, other));
        TRY(end_follow(tx, c->actor, other));
        TRY(relations_answer(tx, other, out));
        return db_commit(c, NULL, &tx);
}
