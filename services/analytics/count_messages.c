/* Counts messages: only that a member sent one, not to whom or in which chat. */
#include "services/analytics/analytics.h"

#include "services/analytics/count_events.h"
#include "services/messaging/messaging.rpc.h"

static const char *const types[] = {"message.created", NULL};

const struct bus_consumer analytics_count_messages = {
    .name = "count_messages",
    .source = "messaging",
    .read_outbox = &messaging_methods[MESSAGING_READ_OUTBOX],
    .types = types,
    .handle = count_events,
    .pace_ms = 500, /* counts are not urgent */
};
