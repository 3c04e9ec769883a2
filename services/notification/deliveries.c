/* Owns reading the delivery log: of one notification for its owner, and totals. */
#include "services/notification/notification.h"

#include "services/notification/store.h"

enum { SHOWN = 100 };

static Notification__DeliveryAttempt *show_attempt(struct arena *arena, const NotificationRows__Delivered *row)
{
        Notification__DeliveryAttempt *out = ARENA_NEW(arena, Notification__DeliveryAttempt);

        notification__delivery_attempt__init(out);
        out->channel = (char *)channel_name((enum channel)row->channel);
        out->provider = row->provider;
        out->outcome = row->outcome;
        out->status = (uint32_t)row->status;
        out->took_ms = (uint32_t)row->took_ms;
        out->templates = row->templates;
        out->n_templates = row->n_templates;
        out->held_by = (char *)hold_name((enum hold)row->hold);
        out->at = row->created_at;
        return out;
}

sn_status notification_handle_list_deliveries(struct rpc_call *c, const Notification__ListDeliveriesRequest *in,
                                              Notification__DeliveryList *out)
{
        NotificationRows__Delivered **rows = NULL;
        size_t n = 0;
        bool own = false;

        TRY(DB_READ(c, tx, store_is_own(tx, c->actor, in->id, &own)));
        if (!own) {
                return rpc_fail(c, SN_NOT_FOUND, "id", "there is no such notification");
        }
        TRY(DB_READ(c, tx, store_deliveries(tx, in->id, SHOWN, &n, &rows)));
        out->items = ARENA_ARRAY(c->arena, Notification__DeliveryAttempt *, n);
        for (size_t i = 0; i < n; i++) {
                out->items[out->n_items++] = show_attempt(c->arena, rows[i]);
        }
        return SN_OK;
}

sn_status notification_handle_count_deliveries(struct rpc_call *c, const Notification__CountDeliveriesRequest *in,
                                               Notification__DeliveryCount *out)
{
        return DB_READ(c, tx, store_count_deliveries(tx, in->from->seconds * 1000, in->to->seconds * 1000, out));
}
