/* Maintains user_stats.followers and .following: each follow counts exactly once, however often its event is
 * delivered. */
#include "services/user/user.h"

#include <string.h>
#include "services/follow/follow.rpc.h"
#include "services/user/store.h"

static sn_status count_follows(struct rpc_call *c, struct bus_batch *batch)
{
        CLEANUP(db_end) struct db_tx *tx = NULL;
        struct member_counts *counts = ARENA_ARRAY(c->arena, struct member_counts, 2 * batch->n);

        TRY(bus_begin(c, batch, &tx));
        for (size_t i = 0; i < batch->n; i++) {
                const bus_event *event = batch->events[i];
                int64_t delta = strcmp(event->type, "follow.created") == 0 ? 1 : -1;

                counts[2 * i] = (struct member_counts){.user_id = event->aggregate_id, .following = delta};
                counts[2 * i + 1] = (struct member_counts){.user_id = event->object_id, .followers = delta};
        }
        TRY(store_count_members(tx, counts, 2 * batch->n));
        return bus_commit(c, batch, &tx);
}

static const char *const types[] = {"follow.created", "follow.deleted", NULL};

const struct bus_consumer user_count_follows = {
    .name = "count_follows",
    .source = "follow",
    .read_outbox = &follow_methods[FOLLOW_READ_OUTBOX],
    .types = types,
    .handle = count_follows,
    .pace_ms = 100,
};
