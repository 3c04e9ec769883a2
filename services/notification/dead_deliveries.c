/* Owns failed deliveries until they are resent or too old. */
#include "services/notification/dead_deliveries.h"

#include "bus/bus.h"
#include "services/notification/lane.h"
#include "services/notification/notification.h"
#include "services/notification/store.h"

#define WORKER "deliveries"
enum { EVERY_S = 10, AT_ONCE = 100 };

/* Dead letters of deliveries: the aggregate is the notification, the object the subscription, the actor the recipient,
 * and the version the channel. */
sn_status dead_deliveries_add(struct db_tx *tx, const NotificationRows__Queued *row, enum channel channel,
                              const char *target_id, const char *error)
{
        bus_event event = SONET__EVENTS__EVENT__INIT;

        event.id = uuid_new_in(db_arena(tx));
        event.source = "notification";
        event.type = arena_printf(db_arena(tx), "%s.%s", channel_name(channel), row->type);
        event.aggregate_id = row->notification_id;
        event.object_id = target_id[0] != '\0' ? (char *)target_id : row->target_id;
        event.actor_id = row->user_id;
        event.version = channel;
        return bus_dead_letter_add(tx, WORKER, &event, error, row->attempts);
}

static sn_status send_again(struct db_tx *tx, bool *more)
{
        struct arena *arena = db_arena(tx);
        bus_event **events = NULL;
        size_t n = 0;

        TRY(bus_own_letters_take(tx, WORKER, AT_ONCE, &events, &n));
        char **notifications = ARENA_ARRAY(arena, char *, n), **targets = ARENA_ARRAY(arena, char *, n);
        int64_t *channels = ARENA_ARRAY(arena, int64_t, n);

        for (size_t i = 0; i < n; i++) {
                notifications[i] = events[i]->aggregate_id;
                targets[i] = events[i]->object_id;
                channels[i] = events[i]->version;
        }
        *more = n == AT_ONCE;
        if (n == 0) {
                return SN_OK;
        }
        lanes_wake(tx);
        return store_enqueue_again(tx, notifications, targets, channels, n);
}

static sn_status replay_delivery(struct rpc_call *c, bool *more)
{
        return DB_WRITE(c, tx, send_again(tx, more));
}

sn_status dead_deliveries_prune(struct db_tx *tx, int64_t days, int64_t limit, int64_t *n)
{
        return bus_own_letters_prune(tx, WORKER, days, limit, n);
}

const struct service_job notification_dead_deliveries = {
    .name = "replay_deliveries", .every_s = EVERY_S, .run = replay_delivery};
