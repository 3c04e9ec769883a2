/* Owns following and unfollowing. Following a private account makes a request (requests.c). */
#include "services/follow/follow.h"

#include "bus/bus.h"
#include "services/follow/relations.h"
#include "services/follow/requests.h"
#include "services/follow/store.h"
#include "services/member.h"
#include "services/user/user.rpc.h"

sn_status find_other_member(struct rpc_call *c, char *name, const char *verb, char **id)
{
        TRY(member_find(c, name, id));
        return uuid_equal(*id, c->actor) ? rpc_fail(c, SN_INVALID_ARGUMENT, "user_id", "you cannot %s yourself", verb)
                                         : SN_OK;
}

sn_status begin_follow(struct db_tx *tx, const char *follower, const char *followee)
{
        bool created = false;

        relations_changed(tx, follower, followee);
        TRY(store_insert_follow(tx, follower, followee, &created));
        if (!created) {
                return SN_OK;
        }
        return outbox_put(tx, &(struct outbox_event){.type = EVENT_FOLLOW_CREATED,
                                                     .aggregate_id = follower,
                                                     .object_id = followee,
                                                     .actor_id = follower});
}

static sn_status ask_privacy(struct rpc_call *c, char *member, User__Privacy *privacy)
{
        User__GetPrivacyRequest in = USER__GET_PRIVACY_REQUEST__INIT;

        in.user_id = member;
        return user_get_privacy(c, &in, privacy);
}

/* No request is needed if the actor follows the member already. */
static sn_status follow_or_ask(struct db_tx *tx, const char *other, const User__Privacy *privacy)
{
        const char *actor = db_call(tx)->actor;
        FollowRows__Edge edge = FOLLOW_ROWS__EDGE__INIT;
        bool following = false;

        if (privacy->private_) {
                relations_changed(tx, actor, other);
                TRY(store_follow(tx, actor, other, &edge, &following));
                return following ? SN_OK : request_follow(tx, other, privacy->version);
        }
        TRY(end_request(tx, actor, other));
        return begin_follow(tx, actor, other);
}

/* Follow a member. Idempotent; emits follow.created once per new edge. For a private account makes one request. */
sn_status follow_handle_follow_user(struct rpc_call *c, const Follow__FollowUserRequest *in, Follow__Relationship *out)
{
        CLEANUP(db_end) struct db_tx *tx = NULL;
        User__Privacy privacy = USER__PRIVACY__INIT;
        char *other = NULL;

        TRY(find_other_member(c, in->user_id, "follow", &other));
        TRY(ask_privacy(c, other, &privacy));
        TRY(db_begin(c, &tx));
        TRY(store_lock(tx, c->actor, other)); /* a block cannot slip in between check and insert */
        TRY(store_check_not_blocked(tx, c->actor, other));
        TRY(follow_or_ask(tx, other, &privacy));
        TRY(relations_answer(tx, other, out));
        return db_commit(c, NULL, &tx);
}

sn_status end_follow(struct db_tx *tx, const char *follower, const char *followee)
{
        bool deleted = false;

        relations_changed(tx, follower, followee);
        TRY(store_delete_follow(tx, follower, followee, &deleted));
        if (!deleted) {
                return SN_OK;
        }
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
        TRY(end_request(tx, c->actor, other));
        TRY(end_follow(tx, c->actor, other));
        TRY(relations_answer(tx, other, out));
        return db_commit(c, NULL, &tx);
}
