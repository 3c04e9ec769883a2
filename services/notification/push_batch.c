/* Owns what is claimed for the lane of pushes: whom each delivery goes to, and what is written down once it is done. */
#include "services/notification/push_batch.h"

#include <stdlib.h>
#include <string.h>
#include "base/clock.h"
#include "base/fault.h"
#include "services/notification/dead_deliveries.h"
#include "services/notification/store.h"

enum { CALL_MS = 50000, BUSY_ATTEMPTS = 2 };

const char *const push_outcome_names[PUSH_LATER + 1] = {"sent", "gone", "refused", "later"};

/* ---- Whom to ---- */

static bool is_target(const struct outgoing *d, const NotificationRows__Subscription *s)
{
        return strcmp(d->user_id, s->user_id) == 0 && (d->target_id == NULL || strcmp(d->target_id, s->id) == 0);
}

static void add_sendings(struct arena *arena, struct push_delivery *d, NotificationRows__Subscription *const *found,
                         size_t n)
{
        d->sendings = ARENA_ARRAY(arena, struct sending, PUSH_SUBSCRIPTIONS_MAX);
        for (size_t i = 0; i < n && d->n < PUSH_SUBSCRIPTIONS_MAX; i++) {
                if (is_target(&d->out, found[i])) {
                        struct sending *s = &d->sendings[d->n++];

                        *s = (struct sending){.delivery = d, .to = found[i]};
                        (void)push_origin(found[i]->endpoint, s->origin); /* "" when it is no URL: then it is refused */
                }
        }
}

static sn_status find_targets(struct push_batch *b)
{
        char **users = ARENA_ARRAY(b->c->arena, char *, b->n);
        NotificationRows__Subscription **found = NULL;
        size_t n = 0;

        for (size_t i = 0; i < b->n; i++) {
                users[i] = (char *)b->deliveries[i].out.user_id;
        }
        TRY(DB_READ(b->c, tx, store_subscriptions(tx, users, b->n, &n, &found)));
        for (size_t i = 0; i < b->n; i++) {
                add_sendings(b->c->arena, &b->deliveries[i], found, n);
        }
        return SN_OK;
}

static sn_status claim(struct push_batch *b, size_t limit)
{
        struct outgoing *claimed = NULL;

        TRY(queue_claim(b->c, CHANNEL_PUSH, (int64_t)limit, PUSH_LEASE_MS, &claimed, &b->n));
        if (b->n > 0) {
                fault_point("push_claimed");
        }
        b->deliveries = ARENA_ARRAY(b->c->arena, struct push_delivery, b->n);
        for (size_t i = 0; i < b->n; i++) {
                b->deliveries[i].out = claimed[i];
        }
        return b->n > 0 ? find_targets(b) : SN_OK;
}

sn_status push_batch_claim(struct service *service, size_t limit, struct push_batch **batch)
{
        struct push_batch *b = calloc(1, sizeof(*b));
        sn_status status;

        if (b == NULL) {
                abort();
        }
        b->c = rpc_call_new_background(service, CALL_MS);
        b->settled_us = clock_monotonic_us();
        b->lease_until_us = b->settled_us + PUSH_LEASE_MS * INT64_C(1000);
        b->start_until_us = b->lease_until_us - 3 * PUSH_TIMEOUT_MS * INT64_C(1000);
        status = claim(b, limit);
        if (status != SN_OK || b->n == 0) {
                push_batch_free(b);
                b = NULL;
        }
        *batch = b;
        return status;
}

void push_batch_free(struct push_batch *b)
{
        rpc_call_free(b->c);
        free(b);
}

/* ---- What became of it ---- */

static sn_status log_one(struct db_tx *tx, const struct sending *s)
{
        const struct outgoing *d = &s->delivery->out;
        struct template_text title = push_title(d);
        char *label = template_label(db_arena(tx), &title);

        for (size_t i = 0; i < d->n_shown; i++) {
                TRY(store_log_delivery(tx, &(struct delivery_log){.notification_id = d->shown[i]->id,
                                                                  .user_id = d->user_id,
                                                                  .channel = CHANNEL_PUSH,
                                                                  .provider = s->origin,
                                                                  .templates = &label,
                                                                  .n_templates = 1,
                                                                  .outcome = push_outcome_names[s->result.outcome],
                                                                  .status = s->result.status,
                                                                  .took_ms = s->result.took_us / 1000}));
        }
        return SN_OK;
}

/* Once more to this browser alone, and all that the delivery tells. */
static sn_status retry(struct db_tx *tx, const struct sending *s)
{
        const struct outgoing *d = &s->delivery->out;
        int64_t backoff = s->untried ? BUSY_ATTEMPTS : d->attempts;

        return store_retry_target(tx, d->rows, d->n, s->to->id,
                                  queue_retry_ms(db_call(tx)->now_ms, backoff, s->result.retry_after_s),
                                  d->attempts - s->untried);
}

/* What the push service refuses, it would refuse again. */
static sn_status give_up(struct db_tx *tx, const struct sending *s)
{
        const struct outgoing *d = &s->delivery->out;
        char *error = arena_printf(db_arena(tx), "%s answered %d", s->origin, s->result.status);

        for (size_t i = 0; i < d->n; i++) {
                TRY(dead_deliveries_add(tx, d->rows[i], CHANNEL_PUSH, s->to->id, error));
        }
        return SN_OK;
}

static bool is_given_up(const struct sending *s)
{
        return s->result.outcome == PUSH_REFUSED ||
               (s->result.outcome == PUSH_LATER && !s->untried && s->delivery->out.attempts >= QUEUE_ATTEMPTS_MAX);
}

static sn_status settle_sending(struct db_tx *tx, const struct sending *s)
{
        int64_t forgotten = 0;

        if (!s->untried) {
                TRY(log_one(tx, s));
        }
        if (is_given_up(s)) {
                return give_up(tx, s);
        }
        if (s->result.outcome == PUSH_GONE) {
                return store_unsubscribe(tx, s->to->id, s->delivery->out.user_id, &forgotten);
        }
        return s->result.outcome == PUSH_LATER ? retry(tx, s) : SN_OK;
}

static bool is_to_settle(const struct push_delivery *d)
{
        return !d->settled && d->n_done == d->n;
}

/* A retry for one browser has the row of the delivery when it was one itself: first it goes, then it comes. */
static sn_status settle(struct db_tx *tx, const struct push_batch *b)
{
        for (size_t i = 0; i < b->n; i++) {
                const struct push_delivery *d = &b->deliveries[i];

                if (is_to_settle(d)) {
                        TRY(queue_done(tx, &d->out));
                        for (size_t k = 0; k < d->n; k++) {
                                TRY(settle_sending(tx, &d->sendings[k]));
                        }
                }
        }
        return SN_OK;
}

sn_status push_batch_settle(struct push_batch *b)
{
        CLEANUP(rpc_call_free_p) struct rpc_call *c = rpc_call_new_background(b->c->service, CALL_MS);

        TRY(DB_WRITE(c, tx, settle(tx, b)));
        fault_point("push_settled");
        b->settled_us = clock_monotonic_us();
        for (size_t i = 0; i < b->n; i++) {
                if (is_to_settle(&b->deliveries[i])) {
                        b->deliveries[i].settled = true;
                        b->n_settled++;
                }
        }
        return SN_OK;
}
