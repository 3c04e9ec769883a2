/* Counts what notification_service has delivered, continuing where the previous run ended. notification_service keeps
 * its log for a month, but the counts are kept here, as a metric `deliveries` like those of events. They are published
 * in portions of enough people: the deliveries of a part of an hour or, if those went to too few people, of several
 * hours, which then count only for their day. */
#include "services/analytics/analytics.h"

#include "google/protobuf/timestamp.pb-c.h"
#include "rpc/rpc.h"
#include "services/analytics/store.h"
#include "services/analytics/visitor.h"
#include "services/notification/notification.rpc.h"

#define KEPT_DAYS 31 /* how long notification_service keeps its log */
#define HOUR_MS   INT64_C(3600000)

struct counted {
        int64_t to_ms, deliveries, people;
};

static sn_status count_range(struct service *service, int64_t from_ms, int64_t to_ms, struct counted *out)
{
        CLEANUP(rpc_call_free_p) struct rpc_call *c = rpc_call_new_background(service, 20000);
        Google__Protobuf__Timestamp from = GOOGLE__PROTOBUF__TIMESTAMP__INIT, to = GOOGLE__PROTOBUF__TIMESTAMP__INIT;
        Notification__CountDeliveriesRequest in = NOTIFICATION__COUNT_DELIVERIES_REQUEST__INIT;
        Notification__DeliveryCount answer = NOTIFICATION__DELIVERY_COUNT__INIT;

        from.seconds = from_ms / 1000;
        to.seconds = to_ms / 1000;
        in.from = &from;
        in.to = &to;
        TRY(notification_count_deliveries(c, &in, &answer));
        *out = (struct counted){answer.counted_to->seconds * 1000, answer.deliveries, answer.people};
        return SN_OK;
}

static sn_status publish_portion(struct service *service, int64_t from_ms, const struct counted *counted,
                                 bool of_one_hour)
{
        CLEANUP(rpc_call_free_p) struct rpc_call *c = rpc_call_new_background(service, 20000);

        return DB_WRITE(c, tx,
                        store_publish_deliveries(
                            tx, &(struct delivery_portion){from_ms, counted->to_ms, counted->deliveries, of_one_hour}));
}

/* Counts a portion. *to_ms is its end, or from_ms if there are not enough people yet. The rest of a past day is
 * skipped. */
static sn_status count_portion(struct service *service, int64_t from_ms, int64_t *to_ms)
{
        int64_t hour_ends = from_ms - from_ms % HOUR_MS + HOUR_MS, day_ends = from_ms - from_ms % DAY_MS + DAY_MS;
        struct counted counted = {0};

        *to_ms = from_ms;
        for (int64_t end_ms = hour_ends; end_ms <= day_ends; end_ms += HOUR_MS) {
                TRY(count_range(service, from_ms, end_ms, &counted));
                bool enough = counted.people == 0 || counted.people >= analytics_min_group();

                if (counted.to_ms <= from_ms || (!enough && counted.to_ms < end_ms)) {
                        return SN_OK;
                }
                if (enough || end_ms == day_ends) {
                        counted.deliveries = enough ? counted.deliveries : 0;
                        *to_ms = counted.to_ms;
                        return publish_portion(service, from_ms, &counted, end_ms == hour_ends);
                }
        }
        return SN_OK;
}

/* Starts with the oldest day that is completely in the log. */
static sn_status find_begin(struct rpc_call *c, int64_t *from_ms)
{
        int64_t known_ms = 0, oldest_ms = (day_of(c->now_ms) - KEPT_DAYS + 1) * DAY_MS;

        TRY(DB_READ(c, tx, store_deliveries_counted_to(tx, &known_ms)));
        *from_ms = known_ms > oldest_ms ? known_ms : oldest_ms;
        return *from_ms == known_ms
                   ? SN_OK
                   : DB_WRITE(c, tx,
                              store_publish_deliveries(
                                  tx, &(struct delivery_portion){.from_ms = known_ms, .to_ms = oldest_ms}));
}

static sn_status roll_up(struct rpc_call *c, bool *more)
{
        int64_t from_ms = 0, to_ms = 0;

        (void)more;
        TRY(find_begin(c, &to_ms));
        while (to_ms > from_ms) {
                from_ms = to_ms;
                TRY(count_portion(c->service, from_ms, &to_ms));
        }
        return SN_OK;
}

const struct service_job analytics_count_deliveries = {.name = "count_deliveries", .every_s = 60, .run = roll_up};
