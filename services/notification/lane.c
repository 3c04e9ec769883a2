/* Owns the lanes. Each leases due deliveries of its channel, sends them to each browser, device or number of the
 * member, and records the results. Deliveries do not wait for each other: a slow provider gets a limited share of the
 * messages in flight, and whatever exceeds that goes back into the queue. */
#include "services/notification/lane.h"

#include <stdatomic.h>
#include <stdio.h>
#include <string.h>
#include "base/clock.h"
#include "base/fault.h"
#include "base/metrics.h"
#include "base/ticker.h"
#include "services/notification/lane_batch.h"
#include "services/notification/lane_breaker.h"
#include "services/notification/lane_trust.h"

enum {
        CALL_MS = 10000,
        CLAIMED_AT_ONCE = 100,
        CLAIMED_MAX = 400,       /* unsettled deliveries */
        SERVICE_AT_ONCE = 50,    /* messages in flight per provider, */
        STRANGERS_AT_ONCE = 50,  /* and to all untrusted push services together */
        STRANGERS_WAITING = 100, /* of those that wait for one of these, if it takes LONG_US; the rest is postponed */
        LONG_US = 1000000,
        STRANGERS_LATER_S = 240,
        SLOW_MAX = 25, /* a provider with so many messages slower than SLOW_US gets no more */
        SLOW_US = 2000000,
        RESULTS_WAIT_MS = 50,
        SETTLE_EVERY_US = 100000,
        IDLE_MS = 5000, /* deliveries queued by other processes come without a wake-up */
        DB_AWAY_MS = 1000,
        LANES_MAX = 4,
};

static struct lane {
        const struct lane_kind *kind;
        struct service *service;
        struct ticker *ticker;
        struct push_sender *sender;
        struct lane_breaker breaker;
        struct lane_trust trust;
        struct lane_batch *batches;            /* oldest first */
        size_t n_claimed;                      /* their unsettled deliveries */
        struct sending *started[PUSH_AT_ONCE]; /* messages in flight: n_started of them */
        size_t n_started;
        size_t n_strangers_waiting; /* as counted so far by this pass */
        int64_t look_us;            /* when to poll the queue next */
        atomic_bool woken, stopping;
        struct metric *outcomes[PUSH_LATER + 1];
} lanes[LANES_MAX];

/* ---- Sending ---- */

static void end_sending(struct lane *lane, struct sending *s, const struct push_result *result)
{
        s->result = *result;
        s->state = SENDING_DONE;
        s->delivery->n_done++;
        if (!s->untried && s->delivery->out.retracts == NULL) { /* the same attempts as in the delivery log */
                metric_add(lane->outcomes[result->outcome], 1);
        }
}

static void forget_started(struct lane *lane, const struct sending *s)
{
        for (size_t i = 0; i < lane->n_started; i++) {
                if (lane->started[i] == s) {
                        lane->started[i] = lane->started[--lane->n_started];
                        return;
                }
        }
}

static void take_results(struct lane *lane, int wait_ms)
{
        struct push_result results[16];
        size_t n;

        while ((n = push_wait(lane->sender, wait_ms, results, sizeof(results) / sizeof(results[0]))) > 0) {
                for (size_t i = 0; i < n; i++) {
                        struct sending *s = results[i].tag;

                        forget_started(lane, s);
                        end_sending(lane, s, &results[i]);
                        fault_point(lane->kind->sent);
                        lane_breaker_note(&lane->breaker, s->origin, results[i].outcome == PUSH_LATER);
                        lane_trust_note(&lane->trust, s->origin, results[i].status == 0);
                }
                wait_ms = 0;
        }
}

/* How many messages to a provider are in flight, and how many of them for longer than SLOW_US. */
static size_t count_started(const struct lane *lane, const char *origin, int64_t now_us, size_t *n_slow)
{
        size_t n = 0;

        *n_slow = 0;
        for (size_t i = 0; i < lane->n_started; i++) {
                if (strcmp(lane->started[i]->origin, origin) == 0) {
                        *n_slow += lane->started[i]->started_us < now_us - SLOW_US;
                        n++;
                }
        }
        return n;
}

/* The same for all untrusted push services. */
static size_t count_strangers(const struct lane *lane, int64_t now_us, size_t *n_slow)
{
        size_t n = 0;

        *n_slow = 0;
        for (size_t i = 0; i < lane->n_started; i++) {
                if (lane->started[i]->stranger) {
                        *n_slow += lane->started[i]->started_us < now_us - SLOW_US;
                        n++;
                }
        }
        return n;
}

static void start_sending(struct lane *lane, struct lane_batch *b, struct sending *s)
{
        struct push_result refused = {.outcome = PUSH_REFUSED};
        const char *why = NULL;

        switch (lane->kind->begin(lane->sender, b->c->arena, &s->delivery->out, s->to, s, &why)) {
        case LANE_STARTED:
                s->state = SENDING_STARTED;
                s->started_us = clock_monotonic_us();
                lane->started[lane->n_started++] = s;
                break;
        case LANE_REFUSED:
                (void)snprintf(refused.reason, sizeof(refused.reason), "%s", why);
                end_sending(lane, s, &refused);
                break;
        default:
                break;
        }
}

/* Whether messages to untrusted push services have waited for so long, and are so many, that what is claimed after them
 * would wait too. */
static bool is_in_the_way(struct lane *lane, const struct lane_batch *b, size_t n_slow_strangers, int64_t now_us)
{
        bool is_long = n_slow_strangers > 0 || now_us - b->claimed_us > LONG_US;

        return ++lane->n_strangers_waiting > STRANGERS_WAITING && is_long;
}

/* Starts sending, or leaves it for later if the provider has no free slot, or postpones it if the provider is failing
 * or slow or the lease would expire. */
static void begin_or_postpone(struct lane *lane, struct lane_batch *b, struct sending *s)
{
        int64_t now_us = clock_monotonic_us();
        size_t n_slow, n = count_started(lane, s->origin, now_us, &n_slow), n_strangers = 0, n_slow_strangers = 0;

        s->stranger = lane->kind->channel == CHANNEL_PUSH && !lane_trust_has(&lane->trust, s->origin);
        if (s->stranger) {
                n_strangers = count_strangers(lane, now_us, &n_slow_strangers);
        }

        if (!lane_breaker_admits(&lane->breaker, s->origin)) {
                end_sending(lane, s, &(struct push_result){.outcome = PUSH_LATER});
        } else if (n_slow >= SLOW_MAX || n_slow_strangers >= SLOW_MAX || now_us > b->start_until_us) {
                s->untried = true;
                end_sending(lane, s, &(struct push_result){.outcome = PUSH_LATER});
        } else if (n < SERVICE_AT_ONCE && n_strangers < STRANGERS_AT_ONCE) {
                start_sending(lane, b, s);
        } else if (s->stranger && is_in_the_way(lane, b, n_slow_strangers, now_us)) {
                s->untried = true;
                end_sending(lane, s, &(struct push_result){.outcome = PUSH_LATER, .retry_after_s = STRANGERS_LATER_S});
        }
}

static void begin_waiting(struct lane *lane, struct lane_batch *b)
{
        for (size_t i = 0; i < b->n; i++) {
                struct lane_delivery *d = &b->deliveries[i];

                for (size_t k = 0; k < d->n && lane->n_started < PUSH_AT_ONCE; k++) {
                        if (d->sendings[k].state == SENDING_WAITS) {
                                begin_or_postpone(lane, b, &d->sendings[k]);
                        }
                }
        }
}

/* ---- Batches ---- */

static sn_status claim_batch(struct lane *lane)
{
        CLEANUP(rpc_call_free_p) struct rpc_call *c = rpc_call_new_background(lane->service, CALL_MS);
        struct lane_batch *claimed = NULL, **end = &lane->batches;
        int64_t wait_ms = 0;

        atomic_store(&lane->woken, false);
        if (lane->kind->channel == CHANNEL_PUSH) {
                TRY(lane_trust_load(&lane->trust, c, CHANNEL_PUSH));
        }
        TRY(queue_next(c, lane->kind->channel, &wait_ms));
        lane->look_us = clock_monotonic_us() + (wait_ms < IDLE_MS ? wait_ms : IDLE_MS) * INT64_C(1000);
        if (wait_ms > 0) {
                return SN_OK;
        }
        TRY(lane_batch_claim(lane->service, lane->kind, CLAIMED_AT_ONCE, &claimed));
        while (*end != NULL) {
                end = &(*end)->next;
        }
        *end = claimed;
        lane->n_claimed += claimed != NULL ? claimed->n : 0;
        return SN_OK;
}

static bool is_claiming_due(const struct lane *lane)
{
        return lane->n_claimed + CLAIMED_AT_ONCE <= CLAIMED_MAX &&
               (atomic_load(&lane->woken) || clock_monotonic_us() >= lane->look_us);
}

/* Whether to settle now: everything is done, or something has been for SETTLE_EVERY_US. */
static bool is_settling_due(const struct lane_batch *b)
{
        size_t n_done = 0;

        for (size_t i = 0; i < b->n; i++) {
                n_done += b->deliveries[i].n_done == b->deliveries[i].n;
        }
        return n_done == b->n || (n_done > b->n_settled && clock_monotonic_us() - b->settled_us >= SETTLE_EVERY_US);
}

/* Deliveries that cannot be settled before the lease expires are sent again, with the same topic. */
static sn_status settle_batches(struct lane *lane)
{
        sn_status status = SN_OK;

        for (struct lane_batch **at = &lane->batches; *at != NULL;) {
                struct lane_batch *b = *at;
                size_t n_settled = b->n_settled;

                status = is_settling_due(b) && lane_batch_settle(b) != SN_OK ? SN_UNAVAILABLE : status;
                lane->n_claimed -= b->n_settled - n_settled;
                if (b->n_settled == b->n || clock_monotonic_us() > b->lease_until_us) {
                        lane->n_claimed -= b->n - b->n_settled;
                        *at = b->next;
                        lane_batch_free(b);
                } else {
                        at = &b->next;
                }
        }
        return status;
}

static int64_t run_lane(void *context)
{
        struct lane *lane = context;

        if (atomic_load(&lane->stopping)) {
                return TICKER_IDLE;
        }
        if (is_claiming_due(lane) && claim_batch(lane) != SN_OK) {
                lane->look_us = clock_monotonic_us() + DB_AWAY_MS * INT64_C(1000);
        }
        lane->n_strangers_waiting = 0;
        for (struct lane_batch *b = lane->batches; b != NULL; b = b->next) {
                begin_waiting(lane, b);
        }
        take_results(lane, RESULTS_WAIT_MS);
        if (settle_batches(lane) != SN_OK) {
                return DB_AWAY_MS;
        }
        int64_t left_us = lane->look_us - clock_monotonic_us();
        return lane->batches != NULL || left_us < 0 ? 0 : left_us / 1000 + 1;
}

/* ---- The lanes ---- */

static void start_lane(struct lane *lane, struct service *service, const struct lane_kind *kind)
{
        lane->service = service;
        lane->kind = kind;
        lane->look_us = 0;
        lane->trust = (struct lane_trust){.loaded = false};
        atomic_store(&lane->stopping, false);
        for (size_t i = 0; i < sizeof(lane->outcomes) / sizeof(lane->outcomes[0]); i++) {
                lane->outcomes[i] =
                    metric_counter("sonet_pushes_total", "Attempts to send pushes and SMS, by channel and outcome.",
                                   metrics_intern("channel=\"%s\",outcome=\"%s\"", channel_name(kind->channel),
                                                  lane_outcome_names[i]));
        }
        lane->sender = push_sender_new(push_settings());
        lane->ticker = ticker_new(kind->thread, run_lane, lane);
}

void lanes_start(struct service *service)
{
        for (size_t i = 0; i < lane_n_kinds; i++) {
                if (lane_kinds[i].is_used == NULL || lane_kinds[i].is_used()) {
                        start_lane(&lanes[i], service, &lane_kinds[i]);
                }
        }
}

/* Settles what is done, so that it is not sent twice. */
static void stop_lane(struct lane *lane)
{
        atomic_store(&lane->stopping, true);
        ticker_free(lane->ticker);
        while (lane->batches != NULL) {
                struct lane_batch *b = lane->batches;

                lane->batches = b->next;
                (void)!lane_batch_settle(b);
                lane_batch_free(b);
        }
        push_sender_free(lane->sender);
        lane->ticker = NULL;
        lane->sender = NULL;
        lane->n_claimed = lane->n_started = 0;
}

void lanes_stop(void)
{
        for (size_t i = 0; i < lane_n_kinds; i++) {
                stop_lane(&lanes[i]);
        }
}

static void wake_lane(void *context)
{
        struct lane *lane = context;

        atomic_store(&lane->woken, true);
        ticker_wake(lane->ticker);
}

void lanes_wake(struct db_tx *tx)
{
        for (size_t i = 0; i < lane_n_kinds; i++) {
                if (lanes[i].ticker != NULL) {
                        db_on_commit(tx, wake_lane, &lanes[i]);
                }
        }
}
