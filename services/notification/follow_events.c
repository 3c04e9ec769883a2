/* Notifies members of new followers, and of requests to follow. */
#include "services/notification/notification.h"

#include <string.h>
#include "services/follow/follow.rpc.h"
#include "services/notification/notify.h"

static void add(struct arrivals *a, const bus_event *event, size_t number)
{
        bool asks = strcmp(event->type, "follow.requested") == 0;
        struct arrival arrival = {.kind = strcmp(event->type, "follow.deleted") == 0 ? ARRIVAL_UNDONE : ARRIVAL_NEWS,
                                  .user_id = event->object_id,
                                  .type = asks ? TYPE_FOLLOW_REQUEST : TYPE_FOLLOW,
                                  .actor_id = event->aggregate_id,
                                  .note_id = "",
                                  .root_id = "",
                                  .at_ms = arrival_time_ms(event),
                                  .event = number};

        arrival.group_key = arrival_key(a->c->arena, arrival.type, asks ? event->id : event->object_id);
        arrivals_add(a, &arrival);
}

static sn_status collect(struct arrivals *a, const struct bus_batch *batch)
{
        for (size_t i = 0; i < batch->n; i++) {
                add(a, batch->events[i], i);
        }
        return SN_OK;
}

static sn_status handle(struct rpc_call *c, struct bus_batch *batch)
{
        return notify_batch(c, batch, collect);
}

static const char *const types[] = {"follow.created", "follow.deleted", "follow.requested", NULL};

const struct bus_consumer notification_follow_events = {
    .name = "follow_events",
    .source = "follow",
    .read_outbox = &follow_methods[FOLLOW_READ_OUTBOX],
    .types = types,
    .handle = handle,
};
