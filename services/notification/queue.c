/* Owns the queue of deliveries: adding to it, and deciding what is still to be sent when it is due. */
#include "services/notification/queue.h"

#include <string.h>
#include "base/clock.h"
#include "services/notification/dead_deliveries.h"
#include "services/notification/events.h"
#include "services/notification/providers.h"
#include "services/notification/show.h"
#include "services/notification/store.h"

enum { FIRST_RETRY_MS = 15000, LONGEST_RETRY_MS = 14400000, FOLDED_MAX = 100, ASKED_AT_ONCE = 2 * FOLDED_MAX };
#define NO_TARGET "00000000-0000-0000-0000-000000000000"

/* ---- Enqueueing ---- */

/* Starts after the previous hit, since both are mostly in the same order. */
static const NotificationRows__Changed *find_row(const struct arrival *item, NotificationRows__Changed *const *rows,
                                                 size_t n, size_t *next)
{
        for (size_t k = 0; k < n; k++) {
                size_t i = (*next + k) % n;

                if (rows[i]->box == (int32_t)item->decision.box && strcmp(rows[i]->user_id, item->user_id) == 0 &&
                    strcmp(rows[i]->group_key, item->group_key) == 0) {
                        *next = i + 1;
                        return rows[i];
                }
        }
        return NULL; /* the notification already had this actor */
}

/* until_ms: when the notification's window ends, if it waits for that. effect: the outcome that it awaits; NULL: none.
 */
static void add_delivery(struct arena *arena, struct queue_columns *q, const struct arrival *item,
                         const char *notification_id, enum channel channel, int64_t until_ms,
                         const NotificationRows__Effect *effect)
{
        const struct channel_decision *decision = &item->decision.channels[preferred_channel(channel)];
        bool waits = until_ms > decision->due_ms;
        int64_t due_ms = waits ? until_ms : decision->due_ms;

        q->ids[q->n] = uuid_new_in(arena);
        q->notification_ids[q->n] = (char *)notification_id;
        q->user_ids[q->n] = (char *)item->user_id;
        q->channels[q->n] = channel;
        q->awaits[q->n] = effect != NULL ? effect->effect : "";
        q->holds[q->n] = waits && decision->hold == HOLD_NOTHING ? HOLD_DIGEST : decision->hold;
        q->due_ms[q->n++] = effect != NULL && effect->pending_ms > due_ms ? effect->pending_ms : due_ms;
}

static bool has_windows(const struct arrival *items, size_t n)
{
        for (size_t i = 0; i < n; i++) {
                if (items[i].rule->window_s > 0) {
                        return true;
                }
        }
        return false;
}

/* The end of the window that an arrival waits for; 0 if it need not wait. */
static int64_t window_end_ms(const struct arrival *item, const NotificationRows__Changed *row,
                             NotificationRows__ActorCount *const *counts, size_t n)
{
        for (size_t i = 0; i < n; i++) {
                if (strcmp(counts[i]->id, row->id) == 0) {
                        return aggregation_waits(item->rule, counts[i]->actors)
                                   ? row->began_ms + item->rule->window_s * 1000
                                   : 0;
                }
        }
        return 0;
}

/* Nothing is queued for a channel without a provider. */
static bool is_used(enum channel channel)
{
        return channel == CHANNEL_SMS ? providers_sms() != NULL : channel != CHANNEL_MOBILE || providers_n_mobile() > 0;
}

/* That the same was sent on the channel before, or is being sent, and undone: nobody is pushed to by turns of a like.
 * NULL if it was not. */
static const NotificationRows__Effect *find_effect(NotificationRows__Effect *const *effects, size_t n, size_t place,
                                                   enum channel channel)
{
        for (size_t i = 0; i < n; i++) {
                if (effects[i]->place == (int64_t)place && effects[i]->channel == (int32_t)channel) {
                        return effects[i];
                }
        }
        return NULL;
}

sn_status queue_add(struct db_tx *tx, const struct arrival *items, size_t n, NotificationRows__Changed *const *rows,
                    size_t n_rows)
{
        static const enum channel channels[] = {CHANNEL_PUSH, CHANNEL_EMAIL, CHANNEL_SMS, CHANNEL_MOBILE};
        enum { N = sizeof(channels) / sizeof(channels[0]) };
        struct arena *arena = db_arena(tx);
        struct queue_columns q = {ARENA_ARRAY(arena, char *, N *n),   ARENA_ARRAY(arena, char *, N *n),
                                  ARENA_ARRAY(arena, char *, N *n),   ARENA_ARRAY(arena, int64_t, N * n),
                                  ARENA_ARRAY(arena, int64_t, N * n), ARENA_ARRAY(arena, int64_t, N * n),
                                  ARENA_ARRAY(arena, char *, N *n),   0};
        NotificationRows__ActorCount **counts = NULL;
        NotificationRows__Effect **effects = NULL;
        size_t n_counts = 0, n_effects = 0, next = 0;

        TRY(store_effects(tx, items, n, &n_effects, &effects));
        if (n_rows > 0 && has_windows(items, n)) {
                TRY(store_count_actors(tx, rows, n_rows, &n_counts, &counts));
        }
        for (size_t i = 0; i < n; i++) {
                const NotificationRows__Changed *row = find_row(&items[i], rows, n_rows, &next);

                for (size_t k = 0; row != NULL && k < N; k++) {
                        const NotificationRows__Effect *effect = find_effect(effects, n_effects, i, channels[k]);

                        if (items[i].decision.channels[preferred_channel(channels[k])].told && is_used(channels[k]) &&
                            (effect == NULL || effect->pending_ms > 0)) {
                                add_delivery(arena, &q, &items[i], row->id, channels[k],
                                             window_end_ms(&items[i], row, counts, n_counts), effect);
                        }
                }
        }
        return store_enqueue(tx, &q);
}

/* ---- Claiming ---- */

sn_status queue_next(struct rpc_call *c, enum channel channel, int64_t *wait_ms)
{
        int64_t due_ms = 0;

        TRY(DB_READ(c, tx, store_next_due(tx, channel, &due_ms)));
        *wait_ms = due_ms == INT64_MAX ? INT64_MAX : due_ms > c->now_ms ? due_ms - c->now_ms : 0;
        return SN_OK;
}

struct claim {
        struct rpc_call *c;
        enum channel channel;
        NotificationRows__Queued **rows;
        size_t n;
        char **member_ids; /* distinct */
        size_t n_members;
        struct rules *rules; /* one per member */
        const struct templates *templates;
        char **dropped;
        size_t n_dropped;
        NotificationRows__Queued **dead; /* those among the dropped that ran out of attempts */
        size_t n_dead;
};

static const struct rules *rules_of(const struct claim *k, const char *user_id)
{
        for (size_t i = 0; i < k->n_members; i++) {
                if (strcmp(k->member_ids[i], user_id) == 0) {
                        return &k->rules[i];
                }
        }
        return NULL;
}

static sn_status load_rules(struct claim *k)
{
        k->member_ids = ARENA_ARRAY(k->c->arena, char *, k->n);
        for (size_t i = 0; i < k->n; i++) { /* rows are ordered by member */
                if (i == 0 || strcmp(k->rows[i]->user_id, k->rows[i - 1]->user_id) != 0) {
                        k->member_ids[k->n_members++] = k->rows[i]->user_id;
                }
        }
        return rules_load(k->c, k->member_ids, k->n_members, &k->rules);
}

static bool is_retraction(const NotificationRows__Queued *row)
{
        return row->retracts[0] != '\0';
}

static bool is_turned_off(const struct claim *k, const NotificationRows__Queued *row)
{
        enum notification_type type;
        enum reason reason;

        return row->obsolete || !type_find(row->type, &type) ||
               delivery_of(rules_of(k, row->user_id), type, k->channel, &reason) == DELIVERY_OFF;
}

static sn_status postpone_delivery(struct claim *k, const NotificationRows__Queued *row, const struct release *release)
{
        return DB_WRITE(k->c, tx, store_postpone(tx, (char *[]){row->id}, 1, release->due_ms, release->hold, true));
}

/* Decides whether a delivery is sent now. It is postponed during quiet hours, or if the budget of the day is spent. */
static sn_status release_delivery(struct claim *k, const NotificationRows__Queued *row, bool *goes)
{
        const struct rules *rules = rules_of(k, row->user_id);
        bool paid = row->paid || strcmp(row->target_id, NO_TARGET) != 0; /* paid once for all browsers */
        enum notification_type type = TYPE_COUNT;

        (void)type_find(row->type, &type); /* cannot fail: is_turned_off has checked */
        struct release release = release_of(rules, type, (enum hold)row->hold, paid, k->c->now_ms);

        *goes = release.due_ms == k->c->now_ms;
        if (*goes && release.pays) {
                int64_t day = budget_day(rules, k->c->now_ms);

                TRY(DB_WRITE(k->c, tx,
                             store_pay(tx,
                                       &(struct payment){row->id, row->user_id, k->channel, day, rules->daily_budget},
                                       goes)));
                release = release_over_budget(rules, type, k->c->now_ms);
        }
        return *goes ? SN_OK : postpone_delivery(k, row, &release);
}

/* A failed retraction is not worth a dead letter: the push that it retracts is soon out of date. */
static sn_status sift_retraction(struct claim *k, NotificationRows__Queued *row, bool *goes)
{
        *goes = !row->obsolete && row->attempts <= QUEUE_ATTEMPTS_MAX;
        if (!*goes) {
                k->dropped[k->n_dropped++] = row->id;
        }
        return SN_OK;
}

static sn_status sift_delivery(struct claim *k, NotificationRows__Queued *row, bool *goes)
{
        *goes = false;
        if (is_turned_off(k, row)) {
                k->dropped[k->n_dropped++] = row->id;
                return SN_OK;
        }
        if (row->attempts > QUEUE_ATTEMPTS_MAX) {
                k->dropped[k->n_dropped++] = row->id;
                k->dead[k->n_dead++] = row;
                return SN_OK;
        }
        return release_delivery(k, row, goes);
}

/* Keeps what can be sent now; the rest is dropped or postponed. */
static sn_status keep_sendable(struct claim *k)
{
        size_t kept = 0;

        k->dropped = ARENA_ARRAY(k->c->arena, char *, k->n);
        k->dead = ARENA_ARRAY(k->c->arena, NotificationRows__Queued *, k->n);
        for (size_t i = 0; i < k->n; i++) {
                bool goes = false;

                TRY((is_retraction(k->rows[i]) ? sift_retraction : sift_delivery)(k, k->rows[i], &goes));
                k->rows[kept] = k->rows[i];
                kept += goes;
        }
        k->n = kept;
        return SN_OK;
}

static bool goes_with(const NotificationRows__Queued *first, const NotificationRows__Queued *row)
{
        return first->hold > 0 && row->hold > 0 && strcmp(first->user_id, row->user_id) == 0 &&
               strcmp(first->target_id, row->target_id) == 0;
}

/* Makes a delivery of a row and, if it was held, of all other held rows of the member for the same target. */
static struct outgoing collect_delivery(struct claim *k, size_t from, bool *taken)
{
        struct outgoing d = {.user_id = k->rows[from]->user_id,
                             .attempts = k->rows[from]->attempts,
                             .rows = ARENA_ARRAY(k->c->arena, NotificationRows__Queued *, k->n - from),
                             .rules = rules_of(k, k->rows[from]->user_id),
                             .templates = k->templates};

        if (strcmp(k->rows[from]->target_id, NO_TARGET) != 0) {
                d.target_id = k->rows[from]->target_id;
        }
        if (is_retraction(k->rows[from])) {
                d.retracts = k->rows[from]->retracts;
        }
        for (size_t i = from; i < k->n; i++) {
                if (!taken[i] && (i == from || goes_with(k->rows[from], k->rows[i]))) {
                        taken[i] = true;
                        d.rows[d.n++] = k->rows[i];
                }
        }
        return d;
}

static size_t collect_all(struct claim *k, struct outgoing *deliveries)
{
        bool *taken = ARENA_ARRAY(k->c->arena, bool, k->n);
        size_t n = 0;

        for (size_t i = 0; i < k->n; i++) {
                if (!taken[i]) {
                        deliveries[n++] = collect_delivery(k, i, taken);
                }
        }
        return n;
}

/* Notifications of several deliveries that are read by one statement, each for its own reader. */
struct asked {
        char *ids[ASKED_AT_ONCE], *users[ASKED_AT_ONCE];
        size_t n;
};

/* At most the newest FOLDED_MAX are shown. */
static size_t count_asked(const struct outgoing *d)
{
        return d->n < FOLDED_MAX ? d->n : FOLDED_MAX;
}

static void ask_for_delivery(struct asked *asked, const struct outgoing *d)
{
        for (size_t i = 0; i < count_asked(d); i++) {
                asked->users[asked->n] = (char *)d->user_id;
                asked->ids[asked->n++] = d->rows[d->n - 1 - i]->notification_id;
        }
}

/* Loads what is shown of a delivery, including unlisted notifications. Its rows are at the beginning of rows; *n is
 * their number. */
static sn_status show_delivery(struct claim *k, struct outgoing *d, NotificationRows__Stored **rows, size_t n_rows,
                               size_t *n)
{
        *n = 0;
        for (size_t i = 0; i < count_asked(d); i++) {
                *n += *n < n_rows && strcmp(rows[*n]->notification->id, d->rows[d->n - 1 - i]->notification_id) == 0;
        }
        d->n_claimed = *n;
        d->claimed = ARENA_ARRAY(k->c->arena, NotificationRows__Stored *, *n);
        memcpy(d->claimed, rows, *n * sizeof(*rows)); /* showing reorders them */
        TRY(show_notification_rows(k->c, d->user_id, rows, *n, &d->n_shown, &d->shown));
        for (size_t i = 0; d->retracts == NULL && d->n_shown == 0 && i < d->n; i++) {
                k->dropped[k->n_dropped++] = d->rows[i]->id;
        }
        return SN_OK;
}

static sn_status show_all(struct claim *k, struct outgoing *deliveries, size_t n)
{
        for (size_t from = 0, to; from < n; from = to) {
                struct asked asked = {.n = 0};
                NotificationRows__Stored **rows = NULL;
                size_t n_rows = 0, at = 0, n_own;

                for (to = from; to < n && asked.n + count_asked(&deliveries[to]) <= ASKED_AT_ONCE; to++) {
                        ask_for_delivery(&asked, &deliveries[to]);
                }
                TRY(DB_READ(
                    k->c, tx,
                    store_notifications(tx, asked.users, asked.ids, asked.n, SHOW_ACTORS_MAX, true, &n_rows, &rows)));
                for (size_t i = from; i < to; i++, at += n_own) {
                        TRY(show_delivery(k, &deliveries[i], rows + at, n_rows - at, &n_own));
                }
        }
        return SN_OK;
}

static sn_status drop_deliveries(struct db_tx *tx, const struct claim *k)
{
        for (size_t i = 0; i < k->n_dead; i++) {
                TRY(dead_deliveries_add(tx, k->dead[i], k->channel, "", "no attempt was completed"));
        }
        return store_dequeue(tx, k->dropped, k->n_dropped);
}

sn_status queue_claim(struct rpc_call *c, enum channel channel, int64_t limit, int64_t lease_ms,
                      struct outgoing **deliveries, size_t *n)
{
        struct claim k = {.c = c, .channel = channel};

        *n = 0;
        TRY(DB_WRITE(c, tx, store_claim(tx, channel, limit, c->now_ms + lease_ms, &k.n, &k.rows)));
        if (k.n > 0) {
                TRY(DB_READ(c, tx, templates_load(tx, preferred_channel(channel), &k.templates)));
        }
        TRY(load_rules(&k));
        TRY(keep_sendable(&k));
        *deliveries = ARENA_ARRAY(c->arena, struct outgoing, k.n);
        TRY(show_all(&k, *deliveries, collect_all(&k, *deliveries)));
        for (size_t i = 0; i < k.n && (*deliveries)[i].n > 0; i++) {
                (*deliveries)[*n] = (*deliveries)[i];
                *n += (*deliveries)[i].n_shown > 0 || (*deliveries)[i].retracts != NULL;
        }
        return k.n_dropped > 0 ? DB_WRITE(c, tx, drop_deliveries(tx, &k)) : SN_OK;
}

enum hold queue_hold_of(const struct outgoing *d, const char *notification_id)
{
        for (size_t i = 0; i < d->n; i++) {
                if (strcmp(d->rows[i]->notification_id, notification_id) == 0) {
                        return (enum hold)d->rows[i]->hold;
                }
        }
        return HOLD_NOTHING;
}

/* Whether what was sent may be undone meanwhile. */
static bool can_be_undone(const NotificationRows__Queued *row)
{
        enum notification_type type;

        return type_find(row->type, &type) && events_can_undo(type);
}

sn_status queue_done(struct db_tx *tx, const struct outgoing *const *deliveries, size_t n)
{
        size_t n_rows = 0, n_locked = 0, at = 0;

        for (size_t i = 0; i < n; i++) {
                n_rows += deliveries[i]->n;
        }
        char **ids = ARENA_ARRAY(db_arena(tx), char *, n_rows);
        char **notifications = ARENA_ARRAY(db_arena(tx), char *, n_rows);

        for (size_t i = 0; i < n; i++) {
                for (size_t k = 0; k < deliveries[i]->n; k++) {
                        notifications[n_locked] = deliveries[i]->rows[k]->notification_id;
                        n_locked += can_be_undone(deliveries[i]->rows[k]);
                        ids[at++] = deliveries[i]->rows[k]->id;
                }
        }
        TRY(store_lock_settled(tx, notifications, n_locked));
        return store_dequeue(tx, ids, n_rows);
}

int64_t queue_retry_ms(int64_t now_ms, int64_t attempts, int64_t retry_after_s)
{
        int64_t shift = attempts > 12 ? 12 : attempts > 0 ? attempts - 1 : 0;
        int64_t wait_ms = FIRST_RETRY_MS * (INT64_C(1) << shift);

        wait_ms = wait_ms < LONGEST_RETRY_MS ? wait_ms : LONGEST_RETRY_MS;
        wait_ms = wait_ms * 3 / 4 + random_below((uint32_t)(wait_ms / 2) + 1);
        return now_ms + (retry_after_s * 1000 > wait_ms ? retry_after_s * 1000 : wait_ms);
}
