/* Owns marking notifications as read, seen, archived, snoozed or deleted. Other devices are informed. */
#include "services/notification/notification.h"

#include "services/notification/store.h"
#include "services/notification/unread.h"

enum { ROWS_AT_ONCE = 10000 };
#define LONGEST_SNOOZE_MS (INT64_C(366) * 24 * 60 * 60 * 1000)

static sn_status emit_marked(struct db_tx *tx, const char *type, const char *id)
{
        const char *actor = db_call(tx)->actor;

        return outbox_put(tx, &(struct outbox_event){.type = type, .aggregate_id = id, .object_id = actor});
}

/* Changes all given notifications or none. */
typedef sn_status mark_some(struct db_tx *tx, const void *context, int64_t *changed);

static sn_status mark_in_transaction(struct rpc_call *c, mark_some *apply, const void *context)
{
        CLEANUP(db_end) struct db_tx *tx = NULL;
        int64_t changed = 0;

        TRY(db_begin(c, &tx));
        TRY(apply(tx, context, &changed));
        if (changed > 0) {
                TRY(emit_marked(tx, EVENT_NOTIFICATION_COUNTED, c->actor));
        }
        return db_commit(c, NULL, &tx);
}

static sn_status mark_and_count(struct rpc_call *c, mark_some *apply, const void *context,
                                Notification__UnreadCount *out)
{
        TRY(mark_in_transaction(c, apply, context));
        return unread_count_committed(c, c->actor, out);
}

static sn_status mark_read_some(struct db_tx *tx, const void *context, int64_t *changed)
{
        const Notification__MarkNotificationsReadRequest *in = context;
        const char *actor = db_call(tx)->actor;

        return in->up_to_id[0] != '\0' ? store_mark_read_to(tx, actor, in->up_to_id, ROWS_AT_ONCE, changed)
                                       : store_mark_read(tx, actor, in->ids, in->n_ids, changed);
}

static sn_status mark_seen_some(struct db_tx *tx, const void *context, int64_t *changed)
{
        return store_mark_seen(tx, db_call(tx)->actor, ROWS_AT_ONCE, changed);
}

sn_status notification_handle_mark_notifications_read(struct rpc_call *c,
                                                      const Notification__MarkNotificationsReadRequest *in,
                                                      Notification__UnreadCount *out)
{
        bool own = true;

        if ((in->up_to_id[0] != '\0') == (in->n_ids > 0)) {
                return rpc_fail(c, SN_INVALID_ARGUMENT, "up_to_id", "give either up_to_id or ids");
        }
        if (in->up_to_id[0] != '\0') {
                TRY(DB_READ(c, tx, store_is_own(tx, c->actor, in->up_to_id, &own)));
        }
        return own ? mark_and_count(c, mark_read_some, in, out)
                   : rpc_fail(c, SN_INVALID_ARGUMENT, "up_to_id", "there is no such notification");
}

sn_status notification_handle_mark_notifications_seen(struct rpc_call *c,
                                                      const Notification__MarkNotificationsSeenRequest *in,
                                                      Notification__UnreadCount *out)
{
        return mark_and_count(c, mark_seen_some, in, out);
}

/* ---- Single notifications ---- */

struct change {
        const char *id;
        bool archived;
        int64_t until_ms;
};
typedef sn_status change_one(struct db_tx *tx, const struct change *change, int64_t *changed);

static sn_status change_and_emit(struct rpc_call *c, change_one *apply, const struct change *change, const char *event)
{
        CLEANUP(db_end) struct db_tx *tx = NULL;
        int64_t changed = 0;

        TRY(db_begin(c, &tx));
        TRY(apply(tx, change, &changed));
        if (changed == 0) {
                return rpc_fail(c, SN_NOT_FOUND, "id", "there is no such notification");
        }
        TRY(emit_marked(tx, event, change->id));
        return db_commit(c, NULL, &tx);
}

static sn_status archive(struct db_tx *tx, const struct change *change, int64_t *changed)
{
        return store_archive(tx, db_call(tx)->actor, change->id, change->archived, changed);
}

static sn_status snooze(struct db_tx *tx, const struct change *change, int64_t *changed)
{
        return store_snooze(tx, db_call(tx)->actor, change->id, change->until_ms, changed);
}

static sn_status delete_one(struct db_tx *tx, const struct change *change, int64_t *changed)
{
        return store_delete(tx, db_call(tx)->actor, change->id, changed);
}

sn_status notification_handle_archive_notification(struct rpc_call *c,
                                                   const Notification__ArchiveNotificationRequest *in,
                                                   Google__Protobuf__Empty *out)
{
        return change_and_emit(c, archive, &(struct change){.id = in->id, .archived = true},
                               EVENT_NOTIFICATION_REMOVED);
}

sn_status notification_handle_unarchive_notification(struct rpc_call *c,
                                                     const Notification__UnarchiveNotificationRequest *in,
                                                     Google__Protobuf__Empty *out)
{
        return change_and_emit(c, archive, &(struct change){.id = in->id}, EVENT_NOTIFICATION_CHANGED);
}

sn_status notification_handle_snooze_notification(struct rpc_call *c, const Notification__SnoozeNotificationRequest *in,
                                                  Google__Protobuf__Empty *out)
{
        int64_t until_ms = in->until->seconds * 1000 + in->until->nanos / 1000000;

        if (until_ms <= c->now_ms || until_ms > c->now_ms + LONGEST_SNOOZE_MS) {
                return rpc_fail(c, SN_INVALID_ARGUMENT, "until", "must be in the future, at most a year from now");
        }
        return change_and_emit(c, snooze, &(struct change){.id = in->id, .until_ms = until_ms},
                               EVENT_NOTIFICATION_REMOVED);
}

static sn_status end_snooze(struct db_tx *tx, const struct change *change, int64_t *changed)
{
        return store_unsnooze(tx, db_call(tx)->actor, change->id, changed);
}

sn_status notification_handle_unsnooze_notification(struct rpc_call *c,
                                                    const Notification__UnsnoozeNotificationRequest *in,
                                                    Google__Protobuf__Empty *out)
{
        return change_and_emit(c, end_snooze, &(struct change){.id = in->id}, EVENT_NOTIFICATION_CHANGED);
}

sn_status notification_handle_delete_notification(struct rpc_call *c, const Notification__DeleteNotificationRequest *in,
                                                  Google__Protobuf__Empty *out)
{
        return change_and_emit(c, delete_one, &(struct change){.id = in->id}, EVENT_NOTIFICATION_REMOVED);
}
