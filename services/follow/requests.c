/* Owns follow requests: making, accepting, declining them. */
#include "services/follow/requests.h"

#include "services/follow/follow.h"
#include "services/follow/relations.h"
#include "services/follow/store.h"

/* open_accounts.c records that an account became public under the same lock, before it looks for requests: either it
 * sees this request, or this one sees the record. */
sn_status request_follow(struct db_tx *tx, const char *target, int64_t privacy_version)
{
        struct rpc_call *c = db_call(tx);
        int64_t opened = 0;
        bool inserted = false;

        TRY(store_lock_requests(tx, target));
        TRY(store_opening(tx, target, &opened));
        if (opened > privacy_version) {
                c->retry = true;
                return rpc_fail(c, SN_ABORTED, "user_id", "their account has just become public; please try again");
        }
        relations_changed(tx, c->actor, target);
        TRY(store_insert_request(tx, c->actor, target, privacy_version, &inserted));
        return inserted ? outbox_put(tx, &(struct outbox_event){.type = EVENT_FOLLOW_REQUESTED,
                                                                .aggregate_id = c->actor,
                                                                .object_id = target})
                        : SN_OK;
}

sn_status end_request(struct db_tx *tx, const char *requester, const char *target)
{
        bool deleted = false;

        relations_changed(tx, requester, target);
        return store_delete_request(tx, requester, target, &deleted);
}

sn_status accept_request(struct db_tx *tx, const char *requester, const char *target, bool *accepted)
{
        relations_changed(tx, requester, target);
        TRY(store_delete_request(tx, requester, target, accepted));
        return *accepted ? begin_follow(tx, requester, target) : SN_OK;
}

sn_status follow_handle_accept_follow_request(struct rpc_call *c, const Follow__AcceptFollowRequestRequest *in,
                                              Follow__Relationship *out)
{
        CLEANUP(db_end) struct db_tx *tx = NULL;
        bool accepted = false;
        char *other = NULL;

        TRY(find_other_member(c, in->user_id, "accept", &other));
        TRY(db_begin(c, &tx));
        TRY(store_lock(tx, other, c->actor));
        TRY(accept_request(tx, other, c->actor, &accepted));
        TRY(relations_answer(tx, other, out));
        if (!accepted && !out->followed_by) {
                return rpc_fail(c, SN_NOT_FOUND, "user_id", "there is no follow request from this member");
        }
        return db_commit(c, NULL, &tx);
}

sn_status follow_handle_decline_follow_request(struct rpc_call *c, const Follow__DeclineFollowRequestRequest *in,
                                               Follow__Relationship *out)
{
        CLEANUP(db_end) struct db_tx *tx = NULL;
        char *other = NULL;

        TRY(find_other_member(c, in->user_id, "decline", &other));
        TRY(db_begin(c, &tx));
        TRY(store_lock(tx, other, c->actor));
        TRY(end_request(tx, other, c->actor));
        TRY(relations_answer(tx, other, out));
        return db_commit(c, NULL, &tx);
}
