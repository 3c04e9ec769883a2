/* Owns the lane that sends pushes: leases what is due, sends to each browser of the member, and writes down what became
 * of it. What a push service puts off is tried again for that browser alone; what it does not know is forgotten. */
#include "services/notification/push.h"

#include <stdatomic.h>
#include <stdio.h>
#include <string.h>
#include "base/clock.h"
#include "base/metrics.h"
#include "base/ticker.h"
#include "services/notification/push_breaker.h"
#include "services/notification/store.h"

enum {
        BATCH = 50,
        LEASE_MS = 60000,
        CALL_MS = 50000,
        IDLE_MS = 5000, /* what other processes queue comes without a wake */
        DB_AWAY_MS = 1000,
        TTL_S = 86400,
};

static struct {
        struct service *service;
        struct ticker *ticker;
        struct push_sender *sender;
        atomic_bool stopping;
        struct metric *outcomes[PUSH_LATER + 1];
} lane;

static const char *const outcome_names[] = {"sent", "gone", "refused", "later"};

/* One message to one browser. */
struct sending {
        const struct outgoing *delivery;
        const NotificationRows__Subscription *to;
        char origin[PUSH_ORIGIN_SIZE];
        struct push_result result;
};

struct batch {
        struct rpc_call *c;
        struct outgoing *deliveries;
        size_t n;
        struct sending *sendings;
        size_t n_sendings;
};

/* ---- Sending ---- */

static void take_results(int wait_ms)
{
        struct push_result results[16];
        size_t n = push_wait(lane.sender, wait_ms, results, sizeof(results) / sizeof(results[0]));

        for (size_t i = 0; i < n; i++) {
                struct sending *s = results[i].tag;

                s->result = results[i];
                push_breaker_note(s->origin, results[i].outcome == PUSH_LATER);
        }
}

/* Or puts it off, or refuses it, without asking: when there is no time left before the lease ends, too. */
static void begin(struct batch *b, struct sending *s)
{
        struct push_subscription to;
        char topic[PUSH_TOPIC_CHARS + 1];
        struct str text = push_text(b->c->arena, s->delivery);
        const char *field;

        s->result = (struct push_result){.outcome = PUSH_LATER};
        if (push_read_subscription(push_settings(), s->to->endpoint, s->to->p256dh, s->to->auth, &to, &field) != NULL ||
            !push_origin(s->to->endpoint, s->origin)) {
                s->result.outcome = PUSH_REFUSED;
                return;
        }
        if (!push_breaker_admits(s->origin) || rpc_call_left_ms(b->c) < 2 * PUSH_TIMEOUT_MS) {
                return;
        }
        const struct push_message message = {.to = &to,
                                             .text = text.ptr,
                                             .len = text.len,
                                             .ttl_s = TTL_S,
                                             .topic = push_topic(s->delivery->shown[0]->group_key, topic),
                                             .urgency = PUSH_NORMAL,
                                             .tag = s};

        while (!push_start(lane.sender, &message)) {
                take_results(PUSH_TIMEOUT_MS);
        }
}

static void send_all(struct batch *b)
{
        for (size_t i = 0; i < b->n_sendings && !atomic_load(&lane.stopping); i++) {
                begin(b, &b->sendings[i]);
        }
        while (push_is_busy(lane.sender) && !atomic_load(&lane.stopping)) {
                take_results(1000);
        }
}

/* ---- Whom to ---- */

static bool is_target(const struct outgoing *d, const NotificationRows__Subscription *s)
{
        return strcmp(d->user_id, s->user_id) == 0 && (d->target_id == NULL || strcmp(d->target_id, s->id) == 0);
}

static sn_status find_targets(struct batch *b)
{
        char **users = ARENA_ARRAY(b->c->arena, char *, b->n);
        NotificationRows__Subscription **found = NULL;
        size_t n = 0;

        for (size_t i = 0; i < b->n; i++) {
                users[i] = (char *)b->deliveries[i].user_id;
        }
        TRY(DB_READ(b->c, tx, store_subscriptions(tx, users, b->n, &n, &found)));
        b->sendings = ARENA_ARRAY(b->c->arena, struct sending, b->n * PUSH_SUBSCRIPTIONS_MAX);
        for (size_t i = 0; i < b->n; i++) {
                for (size_t k = 0; k < n; k++) {
                        if (is_target(&b->deliveries[i], found[k])) {
                                b->sendings[b->n_sendings++] =
                                    (struct sending){.delivery = &b->deliveries[i], .to = found[k]};
                        }
                }
        }
        return SN_OK;
}

/* ---- What became of it ---- */

static sn_status settle_one(struct db_tx *tx, const struct sending *s)
{
        const struct outgoing *d = s->delivery;
        int64_t forgotten = 0, now_ms = db_call(tx)->now_ms;

        for (size_t i = 0; i < d->n_shown; i++) {
                TRY(store_log_delivery(tx, &(struct delivery_log){.notification_id = d->shown[i]->id,
                                                                  .user_id = d->user_id,
                                                                  .channel = CHANNEL_PUSH,
                                                                  .provider = s->origin,
                                                                  .outcome = outcome_names[s->result.outcome],
                                                                  .status = s->result.status,
                                                                  .took_ms = s->result.took_us / 1000}));
        }
        if (s->result.outcome == PUSH_GONE) {
                return store_unsubscribe(tx, s->to->id, d->user_id, &forgotten);
        }
        return s->result.outcome != PUSH_LATER
                   ? SN_OK
                   : store_retry_target(tx, d->shown[0]->id, s->to->id,
                                        queue_retry_ms(now_ms, d->attempts, s->result.retry_after_s), d->attempts);
}

/* A retry for one browser has the row of the delivery when it was one itself: first it goes, then it comes. */
static sn_status settle(struct db_tx *tx, const struct batch *b)
{
        for (size_t i = 0; i < b->n; i++) {
                TRY(queue_done(tx, &b->deliveries[i]));
        }
        for (size_t i = 0; i < b->n_sendings; i++) {
                TRY(settle_one(tx, &b->sendings[i]));
        }
        return SN_OK;
}

/* What is not written down is sent again, with the same topic, when its lease ends. */
static sn_status run_batch(bool *more)
{
        CLEANUP(rpc_call_free_p) struct rpc_call *c = rpc_call_new_background(lane.service, CALL_MS);
        struct batch b = {.c = c};

        TRY(queue_claim(c, CHANNEL_PUSH, BATCH, LEASE_MS, &b.deliveries, &b.n));
        *more = b.n > 0;
        if (b.n == 0) {
                return SN_OK;
        }
        TRY(find_targets(&b));
        send_all(&b);
        if (atomic_load(&lane.stopping)) {
                return SN_OK;
        }
        TRY(DB_WRITE(c, tx, settle(tx, &b)));
        for (size_t i = 0; i < b.n_sendings; i++) {
                metric_add(lane.outcomes[b.sendings[i].result.outcome], 1);
        }
        return SN_OK;
}

static int64_t tick(void *context)
{
        CLEANUP(rpc_call_free_p) struct rpc_call *c = NULL;
        int64_t wait_ms = IDLE_MS;
        bool more = false;

        if (atomic_load(&lane.stopping)) {
                return TICKER_IDLE;
        }
        c = rpc_call_new_background(lane.service, CALL_MS);
        if (queue_next(c, CHANNEL_PUSH, &wait_ms) != SN_OK || (wait_ms == 0 && run_batch(&more) != SN_OK)) {
                return DB_AWAY_MS;
        }
        return wait_ms < IDLE_MS ? wait_ms : IDLE_MS;
}

/* ---- The lane ---- */

void push_lane_start(struct service *service)
{
        lane.service = service;
        atomic_store(&lane.stopping, false);
        for (size_t i = 0; i < sizeof(lane.outcomes) / sizeof(lane.outcomes[0]); i++) {
                lane.outcomes[i] = metric_counter("sonet_pushes_total", "pushes by what became of a try to send them",
                                                  metrics_intern("outcome=\"%s\"", outcome_names[i]));
        }
        lane.sender = push_sender_new(push_settings());
        lane.ticker = ticker_new("push", tick, NULL);
}

void push_lane_stop(void)
{
        atomic_store(&lane.stopping, true);
        ticker_free(lane.ticker);
        push_sender_free(lane.sender);
        lane.ticker = NULL;
        lane.sender = NULL;
}

static void wake(void *context)
{
        ticker_wake(context);
}

void push_lane_wake(struct db_tx *tx)
{
        if (lane.ticker != NULL) {
                db_on_commit(tx, wake, lane.ticker);
        }
}
