/* Rolls up what notification_service has delivered. It keeps its log of deliveries for a month, and the numbers stay
 * here: `deliveries` is read like the name of an event. Each run counts the last known day again, and all since: so a
 * stop at any point, and what was being written while it counted, are made good by the next one. */
#include "services/analytics/analytics.h"

#include "google/protobuf/timestamp.pb-c.h"
#include "rpc/rpc.h"
#include "services/analytics/store.h"
#include "services/analytics/visitor.h"
#include "services/notification/notification.rpc.h"

#define KEPT_DAYS 31 /* in notification_service's log */

/* Each day is a call and a transaction of its own, the oldest first: what is done stays done. */
static sn_status count_day(struct service *service, int64_t day_ms)
{
        CLEANUP(rpc_call_free_p) struct rpc_call *c = rpc_call_new_background(service, 20000);
        Google__Protobuf__Timestamp day = GOOGLE__PROTOBUF__TIMESTAMP__INIT;
        Notification__CountDeliveriesRequest in = NOTIFICATION__COUNT_DELIVERIES_REQUEST__INIT;
        Notification__DeliveryCounts counts = NOTIFICATION__DELIVERY_COUNTS__INIT;

        day.seconds = day_ms / 1000;
        in.day = &day;
        TRY(notification_count_deliveries(c, &in, &counts));
        return DB_WRITE(c, tx, store_delivery_counts(tx, counts.items, counts.n_items));
}

static sn_status roll_up(struct rpc_call *c, bool *more)
{
        int64_t known_ms = 0, oldest_ms = c->now_ms - KEPT_DAYS * DAY_MS;

        (void)more;
        TRY(DB_READ(c, tx, store_delivery_counts_known(tx, &known_ms)));
        for (int64_t ms = known_ms > oldest_ms ? known_ms : oldest_ms; ms < c->now_ms; ms += DAY_MS - ms % DAY_MS) {
                TRY(count_day(c->service, ms));
        }
        return SN_OK;
}

const struct service_job analytics_count_deliveries = {.name = "count_deliveries", .every_s = 60, .run = roll_up};
