/* Owns storing arrivals as rows and emitting the events of live streams. */
#include "services/notification/arrivals.h"

#include <string.h>
#include "services/notification/lane.h"
#include "services/notification/notification.h"
#include "services/notification/store.h"

enum { ROOM_AT_FIRST = 128 };

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

static sn_status emit_all(struct db_tx *tx, const char *type, NotificationRows__Changed *const *rows, size_t n)
{
        struct outbox_event *events = ARENA_ARRAY(db_arena(tx), struct outbox_event, n);

        for (size_t i = 0; i < n; i++) {
                events[i] = (struct outbox_event){.type = type,
                                                  .aggregate_id = rows[i]->id,
                                                  .object_id = rows[i]->user_id,
                                                  .actor_id = rows[i]->actor_id};
        }
        return outbox_put_all(tx, events, n);
}

static bool is_one_group(NotificationRows__Changed *const *rows, size_t n)
{
        for (size_t i = 1; i < n; i++) {
                if (strcmp(rows[i]->group_key, rows[0]->group_key) != 0 ||
                    strcmp(rows[i]->user_id, rows[i - 1]->user_id) < 0) {
                        return false;
                }
        }
        return n > 1;
}

/* Of a new note one event for all recipients together: one for each would cost as much as their notifications. */
static sn_status emit_changed(struct db_tx *tx, const struct arrival *first, NotificationRows__Changed *const *rows,
                              size_t n)
{
        if (first->type != TYPE_NEW_NOTE || first->rule->fold_by == FOLD_NOTHING || !is_one_group(rows, n)) {
                return emit_all(tx, EVENT_NOTIFICATION_CHANGED, rows, n);
        }
        return outbox_put(tx, &(struct outbox_event){.type = EVENT_NOTIFICATION_SPREAD,
                                                     .aggregate_id = first->note_id,
                                                     .object_id = rows[0]->user_id,
                                                     .actor_id = rows[n - 1]->user_id});
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

static sn_status add_some(struct db_tx *tx, const struct arrival *items, size_t n)
{
        NotificationRows__Changed **changed = NULL, **removed = NULL;
        size_t n_changed = 0, n_removed = 0;

        TRY(store_remove_old_requests(tx, items, n, &n_removed, &removed));
        TRY(emit_all(tx, EVENT_NOTIFICATION_REMOVED, removed, keep_listed(removed, n_removed)));
        TRY(store_close_overdue(tx, items, n));
        TRY(store_add_arrivals(tx, items, n, &n_changed, &changed));
        TRY(store_close_full(tx, changed, n_changed));
        TRY(queue_add(tx, items, n, changed, n_changed));
        lanes_wake(tx);
        return emit_changed(tx, &items[0], changed, keep_listed(changed, n_changed));
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
