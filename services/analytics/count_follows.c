/* Counts follows and unfollows. */
#include "services/analytics/analytics.h"

#include "services/analytics/count_events.h"
#include "services/follow/follow.rpc.h"

static const char *const types[] = {"follow.created", "follow.deleted", NULL};

const struct bus_consumer analytics_count_follows = {
    .name = "count_follows",
    .source = "follow",
    .read_outbox = &follow_methods[FOLLOW_READ_OUTBOX],
    .types = types,
    .handle = count_events,
    .pace_ms = 250,
};
