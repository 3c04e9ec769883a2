/* Owns members' push subscriptions of browsers. */
#include "services/notification/notification.h"

#include "services/notification/push.h"
#include "services/notification/store.h"
#include "services/notification/subscriptions.h"

sn_status notification_handle_get_push_key(struct rpc_call *c, const Notification__GetPushKeyRequest *in,
                                           Notification__PushKey *out)
{
        out->public_key = (char *)push_public_key(arena_alloc(c->arena, PUSH_KEY_SIZE));
        return SN_OK;
}

static Notification__PushSubscription *show_subscription(struct rpc_call *c, NotificationRows__Subscription *row)
{
        Notification__PushSubscription *out = ARENA_NEW(c->arena, Notification__PushSubscription);
        char *origin = arena_alloc(c->arena, PUSH_ORIGIN_SIZE);

        notification__push_subscription__init(out);
        out->id = row->id;
        out->service = push_origin(row->endpoint, origin) ? origin : "";
        out->created_at = row->created_at;
        return out;
}

static sn_status check_subscription(struct rpc_call *c, const Notification__CreatePushSubscriptionRequest *in)
{
        struct push_subscription read;
        const char *field = NULL;
        const char *problem =
            push_read_subscription(push_settings(), in->endpoint, in->keys->p256dh, in->keys->auth, &read, &field);

        if (problem == NULL) {
                return SN_OK;
        }
        return rpc_fail(c, SN_INVALID_ARGUMENT, field[0] == 'e' ? field : arena_printf(c->arena, "keys.%s", field),
                        "%s", problem);
}

sn_status subscriptions_add(struct db_tx *tx, const NotificationRows__Subscription *row,
                            NotificationRows__Subscription *stored)
{
        bool done = false;

        TRY(db_lock_one(tx, "push_subscriptions", row->user_id));
        TRY(store_subscribe(tx, row, db_call(tx)->session, PUSH_SUBSCRIPTIONS_MAX, stored, &done));
        return done ? SN_OK
                    : rpc_fail(db_call(tx), SN_FAILED_PRECONDITION, NULL,
                               "you have %d push subscriptions already; delete one first", PUSH_SUBSCRIPTIONS_MAX);
}

sn_status notification_handle_create_push_subscription(struct rpc_call *c,
                                                       const Notification__CreatePushSubscriptionRequest *in,
                                                       Notification__PushSubscription *out)
{
        NotificationRows__Subscription row = NOTIFICATION_ROWS__SUBSCRIPTION__INIT;
        NotificationRows__Subscription *stored = ARENA_NEW(c->arena, NotificationRows__Subscription);

        TRY(check_subscription(c, in));
        row.id = uuid_new_in(c->arena);
        row.user_id = (char *)c->actor;
        row.endpoint = in->endpoint;
        row.p256dh = in->keys->p256dh;
        row.auth = in->keys->auth;
        notification_rows__subscription__init(stored);
        TRY(DB_WRITE(c, tx, subscriptions_add(tx, &row, stored)));
        *out = *show_subscription(c, stored);
        return SN_OK;
}

sn_status notification_handle_list_push_subscriptions(struct rpc_call *c,
                                                      const Notification__ListPushSubscriptionsRequest *in,
                                                      Notification__PushSubscriptionList *out)
{
        char *id = (char *)c->actor;
        NotificationRows__Subscription **rows = NULL;
        size_t n = 0;

        TRY(DB_READ(c, tx, store_subscriptions(tx, &id, 1, false, &n, &rows)));
        out->items = ARENA_ARRAY(c->arena, Notification__PushSubscription *, n);
        for (size_t i = 0; i < n; i++) {
                out->items[out->n_items++] = show_subscription(c, rows[i]);
        }
        return SN_OK;
}

sn_status subscriptions_end(struct db_tx *tx, const char *id)
{
        int64_t n = 0;

        TRY(store_unsubscribe(tx, id, db_call(tx)->actor, &n));
        return n > 0 ? SN_OK : rpc_fail(db_call(tx), SN_NOT_FOUND, "id", "there is no such subscription");
}

sn_status notification_handle_delete_push_subscription(struct rpc_call *c,
                                                       const Notification__DeletePushSubscriptionRequest *in,
                                                       Google__Protobuf__Empty *out)
{
        return DB_WRITE(c, tx, subscriptions_end(tx, in->id));
}
