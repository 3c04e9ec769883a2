/* Owns batches claimed by a lane: finding the targets of deliveries, and recording the results. */
#include "services/notification/lane_batch.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include "base/clock.h"
#include "base/fault.h"
#include "services/notification/dead_deliveries.h"
#include "services/notification/effects.h"
#include "services/notification/store.h"

enum { CALL_MS = 50000, BUSY_ATTEMPTS = 2 };

const char *const lane_outcome_names[PUSH_LATER + 1] = {"sent", "gone", "refused", "later"};

/* ---- Targets ---- */

/* Whether a browser may be showing the retracted push, and accepts silent pushes. */
static bool takes_retraction(const struct outgoing *d, const NotificationRows__Subscription *s)
{
        int64_t since_ms = s->created_at->seconds * 1000 + s->created_at->nanos / 1000000;

        return since_ms <= d->rows[0]->pushed_ms && push_may_be_silent(s->provider);
}

static bool is_target(const struct outgoing *d, const NotificationRows__Subscription *s)
{
        if (d->retracts != NULL && !takes_retraction(d, s)) {
                return false;
        }
        return strcmp(d->user_id, s->user_id) == 0 && (d->target_id == NULL || strcmp(d->target_id, s->id) == 0);
}

static void add_sendings(struct arena *arena, struct lane_delivery *d, NotificationRows__Subscription *const *found,
                         size_t n)
{
        d->sendings = ARENA_ARRAY(arena, struct sending, PUSH_SUBSCRIPTIONS_MAX);
        for (size_t i = 0; i < n && d->n < PUSH_SUBSCRIPTIONS_MAX; i++) {
                if (is_target(&d->out, found[i])) {
                        struct sending *s = &d->sendings[d->n++];

                        *s = (struct sending){.delivery = d, .to = found[i]};
                        (void)snprintf(s->origin, sizeof(s->origin), "%s", found[i]->provider);
                }
        }
}

static sn_status find_targets(struct lane_batch *b)
{
        char **users = ARENA_ARRAY(b->c->arena, char *, b->n);
        NotificationRows__Subscription **found = NULL;
        size_t n = 0;

        for (size_t i = 0; i < b->n; i++) {
                users[i] = (char *)b->deliveries[i].out.user_id;
        }
        TRY(DB_READ(b->c, tx, b->kind->targets(tx, users, b->n, &n, &found)));
        for (size_t i = 0; i < b->n; i++) {
                add_sendings(b->c->arena, &b->deliveries[i], found, n);
        }
        return SN_OK;
}

static sn_status claim_deliveries(struct lane_batch *b, size_t limit)
{
        struct outgoing *claimed = NULL;

        TRY(queue_claim(b->c, b->kind->channel, (int64_t)limit, LANE_LEASE_MS, &claimed, &b->n));
        if (b->n > 0) {
                fault_point(b->kind->claimed);
        }
        b->deliveries = ARENA_ARRAY(b->c->arena, struct lane_delivery, b->n);
        for (size_t i = 0; i < b->n; i++) {
                b->deliveries[i].out = claimed[i];
        }
        return b->n > 0 ? find_targets(b) : SN_OK;
}

sn_status lane_batch_claim(struct service *service, const struct lane_kind *kind, size_t limit,
                           struct lane_batch **batch)
{
        struct lane_batch *b = calloc(1, sizeof(*b));

        if (b == NULL) {
                abort();
        }
        b->c = rpc_call_new_background(service, CALL_MS);
        b->kind = kind;
        b->claimed_us = b->settled_us = clock_monotonic_us();
        b->lease_until_us = b->claimed_us + LANE_LEASE_MS * INT64_C(1000);
        b->start_until_us = b->lease_until_us - 3 * PUSH_TIMEOUT_MS * INT64_C(1000);
        sn_status status = claim_deliveries(b, limit);
        if (status != SN_OK || b->n == 0) {
                lane_batch_free(b);
                b = NULL;
        }
        *batch = b;
        return status;
}

void lane_batch_free(struct lane_batch *b)
{
        rpc_call_free(b->c);
        free(b);
}

/* ---- Results ---- */

static bool is_to_settle(const struct lane_delivery *d)
{
        return !d->settled && d->n_done == d->n;
}

static size_t count_logs(const struct lane_batch *b)
{
        size_t n = 0;

        for (size_t i = 0; i < b->n; i++) {
                n += is_to_settle(&b->deliveries[i]) ? b->deliveries[i].n * b->deliveries[i].out.n_shown : 0;
        }
        return n;
}

/* Log entries for one attempt: one per notification in it. Returns their number. */
static size_t add_logs(struct arena *arena, const struct lane_kind *kind, const struct sending *s,
                       struct delivery_log *logs)
{
        const struct outgoing *d = &s->delivery->out;

        if (s->untried || d->n_shown == 0) {
                return 0;
        }
        struct template_text title = push_title(d, preferred_channel(kind->channel));
        char *label = template_label(arena, &title);
        for (size_t i = 0; i < d->n_shown; i++) {
                logs[i] = (struct delivery_log){.notification_id = d->shown[i]->id,
                                                .user_id = d->user_id,
                                                .channel = kind->channel,
                                                .provider = s->origin,
                                                .templates = label,
                                                .outcome = lane_outcome_names[s->result.outcome],
                                                .status = s->result.status,
                                                .took_ms = s->result.took_us / 1000,
                                                .notifications = i == 0 ? (int64_t)d->n_shown : 0,
                                                .hold = queue_hold_of(d, d->shown[i]->id)};
        }
        return d->n_shown;
}

static sn_status log_attempts(struct db_tx *tx, const struct lane_batch *b)
{
        struct delivery_log *logs = ARENA_ARRAY(db_arena(tx), struct delivery_log, count_logs(b));
        size_t n = 0;

        for (size_t i = 0; i < b->n; i++) {
                const struct lane_delivery *d = &b->deliveries[i];

                for (size_t k = 0; is_to_settle(d) && k < d->n; k++) {
                        n += add_logs(db_arena(tx), b->kind, &d->sendings[k], logs + n);
                }
        }
        return store_log_deliveries(tx, logs, n);
}

/* Queues the whole delivery again, for this target only. */
static sn_status retry_sending(struct db_tx *tx, const struct lane_kind *kind, const struct sending *s)
{
        const struct outgoing *d = &s->delivery->out;
        int64_t backoff = s->untried ? BUSY_ATTEMPTS : d->attempts;
        int64_t due_ms = queue_retry_ms(db_call(tx)->now_ms, backoff, s->result.retry_after_s);
        int64_t attempts = d->attempts - s->untried;

        return d->retracts != NULL ? store_retry_retraction(tx, d->rows[0], kind->channel, s->to->id, due_ms, attempts)
                                   : store_retry_target(tx, d->rows, d->n, kind->channel, s->to->id, due_ms, attempts);
}

static char *describe_failure(struct arena *arena, const struct sending *s)
{
        return s->result.status > 0 ? arena_printf(arena, "%s answered %d", s->origin, s->result.status)
                                    : arena_printf(arena, "%s: %s", s->origin,
                                                   s->result.reason[0] != '\0' ? s->result.reason : "no answer");
}

/* Rejected messages are not retried: the provider would reject them again. */
static sn_status give_up_sending(struct db_tx *tx, const struct lane_kind *kind, const struct sending *s)
{
        const struct outgoing *d = &s->delivery->out;
        char *error = describe_failure(db_arena(tx), s);

        for (size_t i = 0; i < d->n; i++) {
                TRY(dead_deliveries_add(tx, d->rows[i], kind->channel, s->to->id, error));
        }
        return SN_OK;
}

static bool is_given_up(const struct sending *s)
{
        return s->result.outcome == PUSH_REFUSED ||
               (s->result.outcome == PUSH_LATER && !s->untried && s->delivery->out.attempts >= QUEUE_ATTEMPTS_MAX);
}

static sn_status settle_sending(struct db_tx *tx, const struct lane_kind *kind, const struct sending *s)
{
        if (is_given_up(s)) {
                return s->delivery->out.retracts != NULL ? SN_OK : give_up_sending(tx, kind, s);
        }
        if (s->result.outcome == PUSH_GONE) {
                return kind->forget(tx, s->to, s->delivery->out.user_id);
        }
        return s->result.outcome == PUSH_LATER ? retry_sending(tx, kind, s) : SN_OK;
}

static sn_status dequeue_done(struct db_tx *tx, const struct lane_batch *b)
{
        const struct outgoing **done = ARENA_ARRAY(db_arena(tx), const struct outgoing *, b->n);
        size_t n = 0;

        for (size_t i = 0; i < b->n; i++) {
                if (is_to_settle(&b->deliveries[i])) {
                        done[n++] = &b->deliveries[i].out;
                }
        }
        return queue_done(tx, done, n);
}

static bool was_sent(const struct lane_delivery *d)
{
        for (size_t i = 0; i < d->n; i++) {
                if (d->sendings[i].result.outcome == PUSH_SENT && !d->sendings[i].untried) {
                        return is_to_settle(d);
                }
        }
        return false;
}

static sn_status keep_sent(struct db_tx *tx, const struct lane_batch *b)
{
        const struct outgoing **sent = ARENA_ARRAY(db_arena(tx), const struct outgoing *, b->n);
        size_t n = 0;

        for (size_t i = 0; i < b->n; i++) {
                if (was_sent(&b->deliveries[i])) {
                        sent[n++] = &b->deliveries[i].out;
                }
        }
        return effects_sent(tx, b->kind->channel, sent, n);
}

/* Dequeues first: a retry of a delivery to a single target reuses its row. */
static sn_status settle_done(struct db_tx *tx, const struct lane_batch *b)
{
        TRY(dequeue_done(tx, b));
        TRY(log_attempts(tx, b));
        TRY(keep_sent(tx, b));
        for (size_t i = 0; i < b->n; i++) {
                const struct lane_delivery *d = &b->deliveries[i];

                for (size_t k = 0; is_to_settle(d) && k < d->n; k++) {
                        TRY(settle_sending(tx, b->kind, &d->sendings[k]));
                }
        }
        return SN_OK;
}

sn_status lane_batch_settle(struct lane_batch *b)
{
        CLEANUP(rpc_call_free_p) struct rpc_call *c = rpc_call_new_background(b->c->service, CALL_MS);

        TRY(DB_WRITE(c, tx, settle_done(tx, b)));
        fault_point(b->kind->settled);
        b->settled_us = clock_monotonic_us();
        for (size_t i = 0; i < b->n; i++) {
                if (is_to_settle(&b->deliveries[i])) {
                        b->deliveries[i].settled = true;
                        b->n_settled++;
                }
        }
        return SN_OK;
}
