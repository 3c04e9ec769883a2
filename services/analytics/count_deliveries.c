/* Rolls up what notification_service has delivered. It keeps its log of deliveries for a month, and the numbers stay
 * here: `deliveries` is read like the name of an event. Each run counts the last known day again, and all since: so a
 * stop at any point, and what was being written while it counted, are made good by the next one. */
#include "services/analytics/analytics.h"

#include "google/protobuf/timestamp.pb-c.h"
#include "services/analytics/store.h"
#include "services/notification/notification.rpc.h"

static sn_status roll_up(struct rpc_call *c, bool *more)
{
        Google__Protobuf__Timestamp from = GOOGLE__PROTOBUF__TIMESTAMP__INIT;
        Notification__CountDeliveriesRequest in = NOTIFICATION__COUNT_DELIVERIES_REQUEST__INIT;
        Notification__DeliveryCounts counts = NOTIFICATION__DELIVERY_COUNTS__INIT;
        int64_t from_ms = 0;

        TRY(DB_READ(c, tx, store_delivery_counts_known(tx, &from_ms)));
        from.seconds = from_ms / 1000;
        in.from = &from;
        TRY(notification_count_deliveries(c, &in, &counts));
        return DB_WRITE(c, tx, store_delivery_counts(tx, counts.items, counts.n_items));
}

const struct service_job analytics_count_deliveries = {.name = "count_deliveries", .every_s = 60, .run = roll_up};
