/* Owns watching members' new notes. */
#include "services/notification/notification.h"

#include "services/follow/follow.rpc.h"
#include "services/member.h"
#include "services/notification/store.h"

enum { MOST_WATCHED = 1000 };

/* Members hidden by a block are not found. */
static sn_status check_seen(struct rpc_call *c, char *id)
{
        Follow__GetRelationsRequest in = FOLLOW__GET_RELATIONS_REQUEST__INIT;
        Follow__Relations found = FOLLOW__RELATIONS__INIT;

        in.viewer_id = (char *)c->actor;
        in.user_ids = &id;
        in.n_user_ids = 1;
        TRY(follow_get_relations(c, &in, &found));
        return found.n_items == 1 && !found.items[0]->blocked_by && !found.items[0]->blocking
                   ? SN_OK
                   : rpc_fail(c, SN_NOT_FOUND, "user_id", "there is no member with this id or username");
}

static sn_status set_watched(struct db_tx *tx, const char *author_id)
{
        int64_t changed = 0;

        TRY(store_watch_member(tx, db_call(tx)->actor, author_id, MOST_WATCHED, &changed));
        return changed > 0 ? SN_OK
                           : rpc_fail(db_call(tx), SN_FAILED_PRECONDITION, NULL,
                                      "you watch %d members already; remove one first", MOST_WATCHED);
}

static sn_status find_other(struct rpc_call *c, char *name, char **id)
{
        TRY(member_find(c, name, id));
        if (uuid_equal(*id, c->actor)) {
                return rpc_fail(c, SN_INVALID_ARGUMENT, "user_id", "you cannot watch yourself");
        }
        return check_seen(c, *id);
}

sn_status notification_handle_get_watch(struct rpc_call *c, const Notification__GetWatchRequest *in,
                                        Notification__Watch *out)
{
        bool watches = false;
        char *id = NULL;

        TRY(find_other(c, in->user_id, &id));
        TRY(DB_READ(c, tx, store_watches(tx, c->actor, id, &watches)));
        out->notify = watches;
        return SN_OK;
}

sn_status notification_handle_watch_member(struct rpc_call *c, const Notification__WatchMemberRequest *in,
                                           Google__Protobuf__Empty *out)
{
        char *id = NULL;

        TRY(find_other(c, in->user_id, &id));
        return DB_WRITE(c, tx, set_watched(tx, id));
}

sn_status notification_handle_unwatch_member(struct rpc_call *c, const Notification__UnwatchMemberRequest *in,
                                             Google__Protobuf__Empty *out)
{
        char *id = NULL;

        TRY(member_find(c, in->user_id, &id));
        return DB_WRITE(c, tx, store_unwatch_member(tx, c->actor, id));
}
