/* Keeps user_stats.followers and .following: each follow counts exactly once, however often its event comes. */
#include "services/user/handlers.h"

#include <string.h>
#include "services/follow/follow.rpc.h"
#include "services/user/store.h"

/* The two rows in order of id, so that two such transactions cannot wait for each other. */
static sn_status count_both(struct db_tx *tx, const char *follower, const char *followee, int64_t delta)
{
        bool follower_first = strcmp(follower, followee) < 0;

        TRY(store_count_member(tx, follower_first ? follower : followee, 0, follower_first ? 0 : delta,
                               follower_first ? delta : 0));
        return store_count_member(tx, follower_first ? followee : follower, 0, follower_first ? delta : 0,
                                  follower_first ? 0 : delta);
}

static sn_status count_follow(struct rpc_call *c, const bus_event *event)
{
        CLEANUP(db_rollback_p) struct db_tx *tx = NULL;
        int64_t delta = strcmp(event->type, "follow.created") == 0 ? 1 : -1;

        TRY(bus_begin(c, event, &tx));
        TRY(count_both(tx, event->aggregate_id, event->object_id, delta));
        return bus_commit(c, event, &tx);
}

static const char *const types[] = {"follow.created", "follow.deleted", NULL};

const struct bus_consumer user_count_follows = {
    .source = "follow",
    .read_outbox = &follow_methods[FOLLOW_READ_OUTBOX],
    .types = types,
    .handle = count_follow,
};
