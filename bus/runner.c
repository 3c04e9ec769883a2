/* Owns the thread that runs a service's consumers: whether this process may, what it reads next, and when positions are
 * stored. */
#include <pthread.h>
#include <stdatomic.h>
#include <stdlib.h>
#include <string.h>
#include "base/clock.h"
#include "base/log.h"
#include "base/ticker.h"
#include "bus/delivery.h"
#include "db/lease.h"
#include "db/ownership.h"

#define WAIT_MS 500 /* how long one look at the streams lasts: stopping takes no longer */
#define QUIET_US                                                                                                       \
        1000000 /* nothing from a stream for so long: look into the log, the stream may have missed something */
#define WITHOUT_US    200000 /* the same while Redis is away */
#define LINK_RETRY_US 500000
#define LINK_MS       1000
#define STORE_US      200000
#define STORE_EVENTS  500
#define REPLAY_US     500000
#define LOG_RETRY_US  200000

struct bus_runner {
        struct service *service;
        struct bus_source sources[BUS_MAX_SOURCES];
        size_t n;
        struct db_lease *lease; /* NULL: the service is owned by this process, and its consumers with it */
        struct redis_link *link;
        int64_t link_retry_us, stored_us, replayed_us;
        bool loaded;
        pthread_t thread;
        pthread_mutex_t lock;
        pthread_cond_t cond;
        bool stopping;
};

static int64_t least(int64_t a, int64_t b)
{
        return a < b ? a : b;
}

static bool is_stopping(struct bus_runner *runner)
{
        (void)pthread_mutex_lock(&runner->lock);
        bool stopping = runner->stopping;
        (void)pthread_mutex_unlock(&runner->lock);
        return stopping;
}

static void pause_for(struct bus_runner *runner, int64_t us)
{
        int64_t until_us = clock_monotonic_us() + us;

        (void)pthread_mutex_lock(&runner->lock);
        while (!runner->stopping && cond_wait_until(&runner->cond, &runner->lock, until_us)) {
        }
        (void)pthread_mutex_unlock(&runner->lock);
}

/* Reads the logs that are due. */
static void read_logs(struct bus_runner *runner)
{
        for (size_t i = 0; i < runner->n; i++) {
                struct bus_source *s = &runner->sources[i];
                int64_t now_us = clock_monotonic_us();
                int64_t quiet_us = runner->link && now_us >= s->mistrusted_until_us ? QUIET_US : WITHOUT_US;

                if (now_us < s->retry_at_us || (!s->behind && now_us - s->heard_us < quiet_us)) {
                        continue;
                }
                if (bus_log_read(runner->service, s) != SN_OK) {
                        s->behind = true;
                        s->retry_at_us = clock_monotonic_us() + LOG_RETRY_US;
                }
        }
}

static void open_link(struct bus_runner *runner)
{
        int64_t now_us = clock_monotonic_us();

        if (runner->link || !runner->service->redis || now_us < runner->link_retry_us) {
                return;
        }
        runner->link_retry_us = now_us + LINK_RETRY_US;
        if (redis_link_open(runner->service->redis, LINK_MS, &runner->link) != SN_OK) {
                runner->link = NULL;
        }
}

/* Until the first source that waits for something else than its stream; at least 1 ms. */
static int64_t wait_us(const struct bus_runner *runner)
{
        int64_t now_us = clock_monotonic_us(), wait = runner->link ? WAIT_MS * 1000 : WITHOUT_US;

        for (size_t i = 0; i < runner->n; i++) {
                const struct bus_source *s = &runner->sources[i];

                if (s->behind) {
                        wait = least(wait, s->retry_at_us - now_us);
                } else if (now_us < s->mistrusted_until_us) {
                        wait = least(wait, WITHOUT_US);
                }
        }
        if (runner->link_retry_us > now_us && !runner->link) {
                wait = least(wait, runner->link_retry_us - now_us);
        }
        return wait > 1000 ? wait : 1000;
}

static bool any_streams(const struct bus_runner *runner)
{
        for (size_t i = 0; i < runner->n; i++) {
                if (bus_stream_trusted(&runner->sources[i])) {
                        return true;
                }
        }
        return false;
}

static void read_streams(struct bus_runner *runner)
{
        int64_t wait = wait_us(runner);

        if (!runner->link || !any_streams(runner)) {
                pause_for(runner, wait);
                return;
        }
        if (bus_stream_read(runner->service, runner->link, runner->sources, runner->n, (int)(wait / 1000)) != SN_OK) {
                redis_link_close(runner->link);
                runner->link = NULL;
        }
}

/* Handlers that store their position themselves leave nothing to do here. */
static void store_positions(struct bus_runner *runner, bool now)
{
        int64_t ahead = 0;

        for (size_t i = 0; i < runner->n; i++) {
                ahead += runner->sources[i].position - runner->sources[i].stored;
        }
        if (ahead <= 0 || (!now && ahead < STORE_EVENTS && clock_monotonic_us() - runner->stored_us < STORE_US)) {
                return;
        }
        if (bus_positions_store(runner->service, runner->sources, runner->n) != SN_OK) {
                log_event(LOG_LEVEL_WARN, "positions could not be stored: events may be handled again");
        }
        runner->stored_us = clock_monotonic_us();
}

static void replay_letters(struct bus_runner *runner)
{
        if (clock_monotonic_us() - runner->replayed_us >= REPLAY_US) {
                bus_replay_requested(runner->service, runner->sources, runner->n);
                runner->replayed_us = clock_monotonic_us();
        }
}

static void take_over(struct bus_runner *runner)
{
        for (size_t i = 0; i < runner->n; i++) {
                const struct bus_source *s = &runner->sources[i];

                for (size_t k = 0; k < s->n_consumers; k++) {
                        if (s->consumers[k]->take_over) {
                                s->consumers[k]->take_over(runner->service);
                        }
                }
        }
}

static bool may_work(struct bus_runner *runner)
{
        if (runner->lease && !db_lease_held(runner->lease)) {
                runner->loaded = false; /* another one may go on from here: ask the database when the lease is back */
                return false;
        }
        if (!runner->loaded && bus_positions_load(runner->service, runner->sources, runner->n) == SN_OK) {
                take_over(runner);
                runner->loaded = true;
        }
        return runner->loaded;
}

static void *run(void *context)
{
        struct bus_runner *runner = context;

        while (!is_stopping(runner)) {
                if (!may_work(runner)) {
                        pause_for(runner, 50000);
                        continue;
                }
                open_link(runner);
                read_logs(runner);
                store_positions(runner, false);
                replay_letters(runner);
                read_streams(runner);
                store_positions(runner, false);
        }
        if (runner->loaded && (!runner->lease || db_lease_held(runner->lease))) {
                store_positions(runner, true);
        }
        redis_link_close(runner->link);
        return NULL;
}

static struct bus_source *source_named(struct bus_runner *runner, const struct bus_consumer *consumer)
{
        for (size_t i = 0; i < runner->n; i++) {
                if (strcmp(runner->sources[i].name, consumer->source) == 0) {
                        return &runner->sources[i];
                }
        }
        struct bus_source *s = runner->n < BUS_MAX_SOURCES ? &runner->sources[runner->n++] : NULL;

        if (s) {
                *s = (struct bus_source){.name = consumer->source, .read_outbox = consumer->read_outbox};
        }
        return s;
}

/* One type has one handler: its effect and its position are one transaction, and there is one position. */
static void add_consumer(struct bus_runner *runner, const struct bus_consumer *consumer)
{
        struct bus_source *s = source_named(runner, consumer);
        bool refused = !s || s->n_consumers == BUS_MAX_CONSUMERS;

        for (const char *const *t = consumer->types; !refused && *t; t++) {
                refused = bus_consumer_of(s, *t) != NULL;
        }
        if (refused) {
                log_event(LOG_LEVEL_ERROR, "too many consumers, or two for one type",
                          LOG_STR("sonet.source", consumer->source));
                abort();
        }
        s->consumers[s->n_consumers++] = consumer;
}

struct bus_runner *bus_runner_new(struct service *service, const struct bus_consumer *const *consumers, size_t n)
{
        struct bus_runner *runner = calloc(1, sizeof(*runner));

        if (!runner) {
                abort();
        }
        runner->service = service;
        for (size_t i = 0; i < n; i++) {
                add_consumer(runner, consumers[i]);
        }
        (void)pthread_mutex_init(&runner->lock, NULL);
        (void)pthread_cond_init(&runner->cond, NULL);
        if (!db_ownership_covers(service->db)) {
                runner->lease = db_lease_new(db_url(service->db), "bus");
        }
        if (pthread_create(&runner->thread, NULL, run, runner) != 0) {
                abort();
        }
        (void)pthread_setname_np(runner->thread, "bus-runner");
        return runner;
}

void bus_runner_free(struct bus_runner *runner)
{
        if (!runner) {
                return;
        }
        (void)pthread_mutex_lock(&runner->lock);
        runner->stopping = true;
        (void)pthread_cond_signal(&runner->cond);
        (void)pthread_mutex_unlock(&runner->lock);
        (void)pthread_join(runner->thread, NULL);
        db_lease_free(runner->lease); /* after the last position was stored */
        (void)pthread_cond_destroy(&runner->cond);
        (void)pthread_mutex_destroy(&runner->lock);
        free(runner);
}
