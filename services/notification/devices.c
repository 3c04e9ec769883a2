/* Owns the registration of devices for app pushes. They share the table and the limit of browsers. */
#include "services/notification/notification.h"

#include "services/notification/providers.h"
#include "services/notification/store.h"
#include "services/notification/subscriptions.h"

static Notification__PushDevice *show_device(struct arena *arena, const NotificationRows__Subscription *row)
{
        Notification__PushDevice *out = ARENA_NEW(arena, Notification__PushDevice);

        notification__push_device__init(out);
        out->id = row->id;
        out->provider = row->provider;
        out->created_at = row->created_at;
        return out;
}

sn_status notification_handle_create_push_device(struct rpc_call *c, const Notification__CreatePushDeviceRequest *in,
                                                 Notification__PushDevice *out)
{
        NotificationRows__Subscription row = NOTIFICATION_ROWS__SUBSCRIPTION__INIT;
        NotificationRows__Subscription *stored = ARENA_NEW(c->arena, NotificationRows__Subscription);

        if (providers_mobile(in->provider) == NULL) {
                return rpc_fail(c, SN_INVALID_ARGUMENT, "provider", "must be a provider of this network: %s",
                                providers_n_mobile() > 0 ? providers_mobile_names(c->arena) : "there are none");
        }
        row.id = uuid_new_in(c->arena);
        row.user_id = (char *)c->actor;
        row.endpoint = in->token;
        row.provider = in->provider;
        notification_rows__subscription__init(stored);
        TRY(DB_WRITE(c, tx, subscriptions_add(tx, &row, stored)));
        *out = *show_device(c->arena, stored);
        return SN_OK;
}

sn_status notification_handle_list_push_devices(struct rpc_call *c, const Notification__ListPushDevicesRequest *in,
                                                Notification__PushDeviceList *out)
{
        char *id = (char *)c->actor;
        NotificationRows__Subscription **rows = NULL;
        size_t n = 0;

        TRY(DB_READ(c, tx, store_subscriptions(tx, &id, 1, true, &n, &rows)));
        out->items = ARENA_ARRAY(c->arena, Notification__PushDevice *, n);
        for (size_t i = 0; i < n; i++) {
                out->items[out->n_items++] = show_device(c->arena, rows[i]);
        }
        return SN_OK;
}

sn_status notification_handle_delete_push_device(struct rpc_call *c, const Notification__DeletePushDeviceRequest *in,
                                                 Google__Protobuf__Empty *out)
{
        return DB_WRITE(c, tx, subscriptions_end(tx, in->id));
}
