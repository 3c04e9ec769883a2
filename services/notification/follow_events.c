/* Tells members who follows them, and who asks to. */
#include "services/notification/notification.h"

#include <string.h>
#include "services/follow/follow.rpc.h"
#include "services/notification/arrivals.h"

static void add(struct arrivals *a, const bus_event *event)
{
        bool asks = strcmp(event->type, "follow.requested") == 0;
        struct arrival arrival = {.undone = strcmp(event->type, "follow.deleted") == 0,
                                  .user_id = event->object_id,
                                  .type = asks ? TYPE_FOLLOW_REQUEST : TYPE_FOLLOW,
                                  .actor_id = event->aggregate_id,
                                  .note_id = "",
                                  .at_ms = arrival_time_ms(event)};

        arrival.group_key = asks ? arena_printf(a->c->arena, TYPE_FOLLOW_REQUEST ":%s", event->id)
                                 : arena_printf(a->c->arena, TYPE_FOLLOW ":%s", event->object_id);
        arrivals_add(a, &arrival);
}

static sn_status tell(struct rpc_call *c, struct bus_batch *batch)
{
        CLEANUP(db_end) struct db_tx *tx = NULL;
        struct arrivals arrivals;

        TRY(bus_begin(c, batch, &tx));
        arrivals_start(&arrivals, c);
        for (size_t i = 0; i < batch->n; i++) {
                add(&arrivals, batch->events[i]);
        }
        TRY(arrivals_store(&arrivals, tx));
        return bus_commit(c, batch, &tx);
}

static const char *const types[] = {"follow.created", "follow.deleted", "follow.requested", NULL};

const struct bus_consumer notification_follow_events = {
    .name = "follow_events",
    .source = "follow",
    .read_outbox = &follow_methods[FOLLOW_READ_OUTBOX],
    .types = types,
    .handle = tell,
};
