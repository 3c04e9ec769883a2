/* Owns the sending lane: threads that lease due mails, hand them to the mail server one by one, and record the
 * results. While the server is unreachable, only one mail is tried now and then. */
#include <pthread.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include "base/clock.h"
#include "base/fault.h"
#include "base/log.h"
#include "base/metrics.h"
#include "base/ticker.h"
#include "mail/pace.h"
#include "mail/parts.h"

enum {
        BATCH = 20,
        CALL_MS = 20000,
        IDLE_MS = 5000, /* mails of other processes come without a wake-up */
        CLEAN_EVERY_MS = 3600000,
        EXPIRE_EVERY_MS = 5000, /* how long an expired code may stay in the queue */
        DB_AWAY_MS = 1000,
        FIRST_PAUSE_MS = 1000,
        LONGEST_PAUSE_MS = 60000,
        FIRST_RETRY_MS = 60000,
        LONGEST_RETRY_MS = 7200000,
        CONNECTIONS_MAX = 32,
};

struct worker {
        struct mail_sender *sender;
        struct ticker *ticker;
        struct mail_smtp *smtp; /* NULL: mails are written to files */
        int64_t expired_us;     /* when it last checked for expired ones */
        int64_t cleaned_us;     /* when it last removed old files */
};

struct mail_sender {
        struct service *service;
        const struct mail_options *options;
        struct worker workers[CONNECTIONS_MAX];
        int n_workers;
        atomic_bool stopping;
        pthread_mutex_t lock;
        int64_t paused_until_us; /* guarded by the lock, like the fields below */
        int64_t pause_ms;
        struct metric *sent, *deferred, *failed, *unreachable, *paced;
};

/* Between 75 % and 125 %, so that mails that failed together are not retried together. */
static int64_t jitter(int64_t ms)
{
        return ms * 3 / 4 + random_below((uint32_t)(ms / 2) + 1);
}

static int64_t doubled(int64_t first, int64_t times, int64_t longest)
{
        return times < 16 && first << times < longest ? first << times : longest;
}

/* ---- While the server is unreachable ---- */

static int64_t pause_left_ms(struct mail_sender *s)
{
        (void)pthread_mutex_lock(&s->lock);
        int64_t left_us = s->paused_until_us - clock_monotonic_us();

        (void)pthread_mutex_unlock(&s->lock);
        return left_us > 0 ? left_us / 1000 + 1 : 0;
}

static void pause_sending(struct mail_sender *s, const char *reason)
{
        (void)pthread_mutex_lock(&s->lock);
        s->pause_ms = s->pause_ms == 0 ? FIRST_PAUSE_MS : doubled(s->pause_ms, 1, LONGEST_PAUSE_MS);
        int64_t pause_ms = jitter(s->pause_ms);

        s->paused_until_us = clock_monotonic_us() + pause_ms * 1000;
        (void)pthread_mutex_unlock(&s->lock);
        log_event(LOG_LEVEL_WARN, "cannot send mail; will retry", LOG_STR("sonet.service", s->service->name),
                  LOG_STR("error.message", reason), LOG_INT("sonet.retry_ms", pause_ms));
}

static void end_pause(struct mail_sender *s)
{
        (void)pthread_mutex_lock(&s->lock);
        s->pause_ms = 0;
        s->paused_until_us = 0;
        (void)pthread_mutex_unlock(&s->lock);
}

/* Also waits while the database is unreachable, since a result could not be recorded. */
static int64_t wait_for_pace_ms(struct mail_sender *s, const char *to)
{
        CLEANUP(rpc_call_free_p) struct rpc_call *c = rpc_call_new_background(s->service, CALL_MS);
        int64_t wait_ms = 0;

        return mail_pace_wait_ms(c, s->options->domain_rate, to, clock_wall_ms(), &wait_ms) == SN_OK ? wait_ms
                                                                                                     : DB_AWAY_MS;
}

/* ---- One mail ---- */

static void deliver_item(struct worker *w, const struct mail_item *item, struct mail_result *result)
{
        const struct mail_options *o = w->sender->options;
        int64_t wait_ms = wait_for_pace_ms(w->sender, item->to);

        if (wait_ms > 0) {
                *result = (struct mail_result){MAIL_PACED, .after_ms = wait_ms,
                                               .reason = "MAIL_DOMAIN_RATE of its domain is used up"};
        } else if (w->smtp != NULL) {
                mail_smtp_send(w->smtp, item, result);
        } else if (o->folder[0] != '\0') {
                mail_folder_write(o, item, result);
        } else {
                *result = (struct mail_result){MAIL_UNREACHABLE, .reason = "neither SMTP_URL nor MAIL_DIR is set"};
        }
}

static sn_status record_once(struct rpc_call *c, const struct mail_item *item, const struct mail_result *result)
{
        switch (result->outcome) {
        case MAIL_SENT:
                return mail_queue_sent(c, item);
        case MAIL_REFUSED:
                return mail_queue_failed(c, item, result->reason, result->bounced);
        case MAIL_DEFERRED:
                return mail_queue_retry(c, item, jitter(doubled(FIRST_RETRY_MS, item->attempts - 1, LONGEST_RETRY_MS)),
                                        result->reason);
        default:
                return mail_queue_release(c, item, result->after_ms, result->reason);
        }
}

/* An unrecorded mail would be sent again, so recording is retried while the lease lasts. */
static void record_result(struct mail_sender *s, const struct mail_item *item, const struct mail_result *result,
                          int64_t until_us)
{
        while (true) {
                CLEANUP(rpc_call_free_p) struct rpc_call *c = rpc_call_new_background(s->service, CALL_MS);

                if (record_once(c, item, result) == SN_OK || clock_monotonic_us() > until_us ||
                    atomic_load(&s->stopping)) {
                        return;
                }
                clock_sleep_ms(DB_AWAY_MS / 5);
        }
}

static void log_result(struct mail_sender *s, const struct mail_item *item, const struct mail_result *result)
{
        static const char *const words[] = {"sent", "deferred", "refused", "unreachable", "paced"};
        struct metric *const counters[] = {s->sent, s->deferred, s->failed, s->unreachable, s->paced};

        metric_add(counters[result->outcome], 1);
        if (result->outcome < MAIL_UNREACHABLE) {
                log_event(result->outcome == MAIL_SENT ? LOG_LEVEL_INFO : LOG_LEVEL_WARN, "mail",
                          LOG_STR("event.outcome", words[result->outcome]), LOG_STR("email.message_id", item->id),
                          LOG_STR("sonet.mail.kind", item->kind), LOG_STR("error.message", result->reason));
        }
}

/* ---- One batch ---- */

static int64_t lease_ms(const struct mail_sender *s)
{
        return INT64_C(2) * s->options->timeout_ms + 10000;
}

/* False if no further mail can be sent at present. */
static bool send_one(struct worker *w, const struct mail_item *item, int64_t until_us)
{
        struct mail_sender *s = w->sender;
        struct mail_result result = {MAIL_UNREACHABLE, .reason = "the sender is stopping"};
        bool in_time = clock_monotonic_us() + s->options->timeout_ms * INT64_C(1000) < until_us;

        if (in_time && !atomic_load(&s->stopping) && pause_left_ms(s) == 0) {
                deliver_item(w, item, &result);
                if (result.outcome == MAIL_UNREACHABLE) {
                        pause_sending(s, result.reason);
                } else if (result.outcome != MAIL_PACED) {
                        end_pause(s);
                }
                log_result(s, item, &result);
                fault_point("mail_sent");
        }
        record_result(s, item, &result, until_us);
        return result.outcome != MAIL_UNREACHABLE;
}

static sn_status expire_mails(struct mail_sender *s)
{
        CLEANUP(rpc_call_free_p) struct rpc_call *c = rpc_call_new_background(s->service, CALL_MS);
        int64_t n = 0;

        TRY(mail_queue_expire(c, &n));
        metric_add(s->failed, n);
        return SN_OK;
}

static bool expiry_is_due(struct worker *w)
{
        int64_t now_us = clock_monotonic_us();
        bool due = w == w->sender->workers && now_us - w->expired_us >= EXPIRE_EVERY_MS * INT64_C(1000);

        w->expired_us = due ? now_us : w->expired_us;
        return due;
}

static sn_status send_batch(struct worker *w, int64_t *wait_ms)
{
        struct mail_sender *s = w->sender;
        CLEANUP(rpc_call_free_p) struct rpc_call *c = rpc_call_new_background(s->service, CALL_MS);
        int64_t until_us = clock_monotonic_us() + lease_ms(s) * 1000;
        struct mail_item *items = NULL;
        size_t n = 0;

        TRY(mail_queue_next(c, wait_ms));
        if (*wait_ms > 0) {
                return SN_OK;
        }
        TRY(expire_mails(s)); /* expired ones are not claimed */
        TRY(mail_queue_claim(c, BATCH, lease_ms(s) / 1000, &items, &n));
        for (size_t i = 0; i < n; i++) {
                (void)send_one(w, &items[i], until_us);
        }
        return SN_OK;
}

static int64_t shorter(int64_t a, int64_t b)
{
        return a < b ? a : b;
}

static void clean_folder(struct worker *w)
{
        int64_t now_us = clock_monotonic_us();

        if (w == w->sender->workers && w->smtp == NULL && w->sender->options->folder[0] != '\0' &&
            now_us - w->cleaned_us >= CLEAN_EVERY_MS * INT64_C(1000)) {
                w->cleaned_us = now_us;
                mail_folder_clean(w->sender->options, clock_wall_ms() / 1000);
        }
}

static int64_t run_worker(void *context)
{
        struct worker *w = context;
        int64_t wait_ms = IDLE_MS;

        if (atomic_load(&w->sender->stopping)) {
                return TICKER_IDLE;
        }
        clean_folder(w);
        if (expiry_is_due(w) && expire_mails(w->sender) != SN_OK) {
                return DB_AWAY_MS;
        }
        if (pause_left_ms(w->sender) > 0) {
                return shorter(pause_left_ms(w->sender) + 1, IDLE_MS);
        }
        if (send_batch(w, &wait_ms) != SN_OK) {
                return DB_AWAY_MS;
        }
        return shorter(wait_ms, IDLE_MS);
}

/* ---- The lane ---- */

static struct metric *counter(const struct service *service, const char *outcome)
{
        return metric_counter("sonet_mails_total", "Attempts to send a mail, by outcome.",
                              metrics_intern("service=\"%s\",outcome=\"%s\"", service->name, outcome));
}

struct mail_sender *mail_sender_new(struct service *service)
{
        struct mail_sender *s = calloc(1, sizeof(*s));

        if (s == NULL) {
                fputs("sonet: out of memory\n", stderr);
                abort();
        }
        s->service = service;
        s->options = mail_options();
        s->n_workers = s->options->connections;
        s->sent = counter(service, "sent");
        s->deferred = counter(service, "deferred");
        s->failed = counter(service, "failed");
        s->unreachable = counter(service, "unreachable");
        s->paced = counter(service, "paced");
        (void)pthread_mutex_init(&s->lock, NULL);
        for (int i = 0; i < s->n_workers; i++) {
                struct worker *w = &s->workers[i];

                w->sender = s;
                w->expired_us = w->cleaned_us = INT64_MIN / 2;
                w->smtp = s->options->smtp_url[0] != '\0' ? mail_smtp_new(s->options, &s->stopping) : NULL;
        }
        for (int i = 0; i < s->n_workers; i++) {
                s->workers[i].ticker = ticker_new("mail", run_worker, &s->workers[i]);
        }
        return s;
}

void mail_sender_wake(struct mail_sender *s)
{
        for (int i = 0; i < s->n_workers; i++) {
                ticker_wake(s->workers[i].ticker);
        }
}

void mail_sender_free(struct mail_sender *s)
{
        if (s == NULL) {
                return;
        }
        atomic_store(&s->stopping, true);
        for (int i = 0; i < s->n_workers; i++) {
                ticker_free(s->workers[i].ticker);
                mail_smtp_free(s->workers[i].smtp);
        }
        (void)pthread_mutex_destroy(&s->lock);
        free(s);
}
