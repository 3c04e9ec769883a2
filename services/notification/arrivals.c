/* Owns storing arrivals as rows and emitting the events of live streams. */
#include "services/notification/arrivals.h"

#include <stdlib.h>
#include <string.h>
#include "base/uuid.h"
#include "services/notification/lane.h"
#include "services/notification/notification.h"
#include "services/notification/store.h"

enum { ROOM_AT_FIRST = 128, PORTION = 100 };

void arrivals_start(struct arrivals *a, struct rpc_call *c)
{
        *a = (struct arrivals){
            .c = c, .items = ARENA_ARRAY(c->arena, struct arrival, ROOM_AT_FIRST), .room = ROOM_AT_FIRST};
}

void arrivals_add(struct arrivals *a, const struct arrival *arrival)
{
        bool own = uuid_equal(arrival->user_id, arrival->actor_id);

        if (arrival->kind != ARRIVAL_READ && (arrival->actor_id[0] == '\0' || own != type_is_own(arrival->type))) {
                return;
        }
        if (a->n == a->room) {
                struct arrival *grown = ARENA_ARRAY(a->c->arena, struct arrival, 2 * a->room);

                memcpy(grown, a->items, a->n * sizeof(*grown));
                a->items = grown;
                a->room *= 2;
        }
        a->items[a->n++] = *arrival;
}

int64_t arrival_time_ms(const bus_event *event)
{
        return event->occurred_at->seconds * 1000 + event->occurred_at->nanos / 1000000;
}

char *arrival_key(struct arena *arena, enum notification_type type, const char *id)
{
        return arena_printf(arena, "%s:%s", type_name(type), id);
}

static struct outbox_event event_of(const char *type, const NotificationRows__Changed *row)
{
        return (struct outbox_event){
            .type = type, .aggregate_id = row->id, .object_id = row->user_id, .actor_id = row->actor_id};
}

static sn_status emit_all(struct db_tx *tx, const char *type, NotificationRows__Changed *const *rows, size_t n)
{
        struct outbox_event *events = ARENA_ARRAY(db_arena(tx), struct outbox_event, n);

        for (size_t i = 0; i < n; i++) {
                events[i] = event_of(type, rows[i]);
        }
        return outbox_put_all(tx, events, n);
}

/* The object of the group if all its notifications are of this type and share one for all actors; otherwise NULL. */
static const char *object_of(const char *group_key, enum notification_type type)
{
        size_t len = strlen(type_name(type));
        bool ours = strncmp(group_key, type_name(type), len) == 0 && group_key[len] == ':';

        return ours && strlen(group_key + len + 1) == UUID_SIZE - 1 ? group_key + len + 1 : NULL;
}

/* False if each of them needs an event of its own. The rows are of one group, in the order of their members. */
static bool fill_spread(NotificationRows__Changed *const *rows, size_t n, struct outbox_event *event)
{
        const char *note = object_of(rows[0]->group_key, TYPE_NEW_NOTE);
        const char *chat = object_of(rows[0]->group_key, TYPE_MESSAGE);

        *event =
            (struct outbox_event){.type = note != NULL ? EVENT_NOTIFICATION_SPREAD : EVENT_NOTIFICATION_CHAT_SPREAD,
                                  .aggregate_id = note != NULL ? note : chat,
                                  .object_id = rows[0]->user_id,
                                  .actor_id = rows[n - 1]->user_id,
                                  .version = rows[0]->chat_seq};
        for (size_t i = 1; i < n; i++) {
                event->version = rows[i]->chat_seq < event->version ? rows[i]->chat_seq : event->version;
        }
        return n > 1 && event->aggregate_id != NULL;
}

static size_t count_group(NotificationRows__Changed *const *rows, size_t n)
{
        size_t same = 1;

        while (same < n && strcmp(rows[same]->group_key, rows[0]->group_key) == 0) {
                same++;
        }
        return same;
}

/* Of a new note, or of the messages in a chat, one event for all recipients together: one for each would cost as much
 * as their notifications. */
static sn_status emit_changed(struct db_tx *tx, NotificationRows__Changed *const *rows, size_t n)
{
        struct outbox_event *events = ARENA_ARRAY(db_arena(tx), struct outbox_event, n);
        size_t n_events = 0, same = 0;

        for (size_t from = 0; from < n; from += same) {
                same = count_group(rows + from, n - from);
                if (fill_spread(rows + from, same, &events[n_events])) {
                        n_events++;
                        continue;
                }
                for (size_t i = from; i < from + same; i++) {
                        events[n_events++] = event_of(EVENT_NOTIFICATION_CHANGED, rows[i]);
                }
        }
        return outbox_put_all(tx, events, n_events);
}

/* Live streams show only what the list shows. */
static size_t keep_listed(NotificationRows__Changed **rows, size_t n)
{
        size_t kept = 0;

        for (size_t i = 0; i < n; i++) {
                if (rows[i]->box == BOX_INBOX) {
                        rows[kept++] = rows[i];
                }
        }
        return kept;
}

/* Notifications to which something was added. */
struct changes {
        NotificationRows__Changed **rows;
        size_t n;
};

static sn_status add_portion(struct db_tx *tx, const struct arrival *items, size_t n, struct changes *changes)
{
        NotificationRows__Changed **changed = NULL, **removed = NULL;
        size_t n_changed = 0, n_removed = 0;

        TRY(store_remove_old_requests(tx, items, n, &n_removed, &removed));
        TRY(emit_all(tx, EVENT_NOTIFICATION_REMOVED, removed, keep_listed(removed, n_removed)));
        TRY(store_close_overdue(tx, items, n));
        TRY(store_add_arrivals(tx, items, n, &n_changed, &changed));
        TRY(store_close_full(tx, changed, n_changed));
        TRY(queue_add(tx, items, n, changed, n_changed));
        memcpy(changes->rows + changes->n, changed, n_changed * sizeof(*changed));
        changes->n += n_changed;
        return SN_OK;
}

static int compare_arrivals(const void *a, const void *b)
{
        const struct arrival *x = *(const struct arrival *const *)a, *y = *(const struct arrival *const *)b;
        int order = strcmp(x->group_key, y->group_key);

        order = order != 0 ? order : strcmp(x->user_id, y->user_id);
        return order != 0 ? order : (x > y) - (x < y);
}

/* Orders them as their notifications are locked, so that this is the same for all portions. */
static const struct arrival *sort_arrivals(struct arena *arena, const struct arrival *items, size_t n)
{
        const struct arrival **sorted = ARENA_ARRAY(arena, const struct arrival *, n);
        struct arrival *out = ARENA_ARRAY(arena, struct arrival, n);

        for (size_t i = 0; i < n; i++) {
                sorted[i] = &items[i];
        }
        qsort(sorted, n, sizeof(*sorted), compare_arrivals);
        for (size_t i = 0; i < n; i++) {
                out[i] = *sorted[i];
        }
        return out;
}

/* All of a member in a group go together, since they make one notification. */
static size_t count_portion(const struct arrival *items, size_t n)
{
        size_t some = n < PORTION ? n : PORTION;

        while (some < n && strcmp(items[some].group_key, items[some - 1].group_key) == 0 &&
               uuid_equal(items[some].user_id, items[some - 1].user_id)) {
                some++;
        }
        return some;
}

/* A statement that adds a thousand rows keeps a processor busy for 50 ms. The scheduler may let other work, such as a
 * COMMIT that somebody is waiting for, wait behind it although another processor is idle, so it is done in portions. */
static sn_status add_some(struct db_tx *tx, const struct arrival *items, size_t n)
{
        struct changes changes = {ARENA_ARRAY(db_arena(tx), NotificationRows__Changed *, n), 0};
        size_t some = 0;

        if (n > PORTION) {
                items = sort_arrivals(db_arena(tx), items, n);
        }
        for (size_t from = 0; from < n; from += some) {
                some = count_portion(items + from, n - from);
                TRY(add_portion(tx, items + from, some, &changes));
        }
        lanes_wake(tx);
        return emit_changed(tx, changes.rows, keep_listed(changes.rows, changes.n));
}

static sn_status undo_some(struct db_tx *tx, const struct arrival *items, size_t n)
{
        NotificationRows__Changed **undone = NULL;
        size_t n_undone = 0;

        TRY(store_undo_arrivals(tx, items, n, &n_undone, &undone));
        TRY(store_remove_empty(tx, undone, n_undone));
        lanes_wake(tx); /* retractions */
        return emit_all(tx, EVENT_NOTIFICATION_UNDONE, undone, keep_listed(undone, n_undone));
}

static sn_status read_some(struct db_tx *tx, const struct arrival *items, size_t n)
{
        NotificationRows__Changed **removed = NULL;
        size_t n_removed = 0;

        TRY(store_remove_read(tx, items, n, &n_removed, &removed));
        lanes_wake(tx);
        return emit_all(tx, EVENT_NOTIFICATION_REMOVED, removed, keep_listed(removed, n_removed));
}

static void drop_untold(struct arrivals *a, size_t n_done)
{
        size_t kept = 0;

        for (size_t i = 0; i < a->n; i++) {
                if (a->items[i].event >= n_done &&
                    (a->items[i].kind != ARRIVAL_NEWS || a->items[i].decision.box != BOX_NOWHERE)) {
                        a->items[kept++] = a->items[i];
                }
        }
        a->n = kept;
}

/* Stores each run of one kind together, keeping the order, so that a like undone in the same batch notifies nobody. */
sn_status arrivals_store(struct arrivals *a, struct db_tx *tx, size_t n_done)
{
        static sn_status (*const store[])(struct db_tx *, const struct arrival *, size_t) = {
            [ARRIVAL_NEWS] = add_some, [ARRIVAL_UNDONE] = undo_some, [ARRIVAL_READ] = read_some};
        size_t n = 0;

        drop_untold(a, n_done);
        for (size_t from = 0; from < a->n; from += n) {
                n = 1;
                while (from + n < a->n && a->items[from + n].kind == a->items[from].kind) {
                        n++;
                }
                TRY(store[a->items[from].kind](tx, a->items + from, n));
        }
        return SN_OK;
}
