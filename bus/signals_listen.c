/* Owns listening for signals: a bounded queue, and the thread that fills it from Redis and empties it. */
#include <poll.h>
#include <stdatomic.h>
#include <stdlib.h>
#include <string.h>
#include <sys/eventfd.h>
#include <unistd.h>
#include "base/clock.h"
#include "base/metrics.h"
#include "base/ticker.h"
#include "bus/signals_queue.h"
#include "cache/redis.h"
#include "rpc/rpc.h"

#define QUEUE_MAX     1000    /* signals waiting to be handled */
#define LATE_US       2000000 /* a signal that has waited this long is dropped */
#define WAIT_MS       5000
#define LINK_MS       1000
#define LINK_RETRY_US 500000

struct queued {
        struct queued *next;
        int64_t heard_us;
        size_t len;
        uint8_t packed[];
};

struct bus_signals {
        struct bus_signals_options options;
        struct bus_signals *next; /* of all in this process */
        struct ticker *ticker;
        struct redis_link *link;
        int64_t link_retry_us;
        int wake; /* an eventfd: something was queued, or the thread must end */
        atomic_bool stopping;
        pthread_mutex_t lock;
        struct queued *first, **end;
        size_t n;
        struct metric *dropped;
};

static pthread_mutex_t all_lock = PTHREAD_MUTEX_INITIALIZER;
static struct bus_signals *all;

/* ---- The queue ---- */

static bool listens_to(const struct bus_signals *signals, const char *source)
{
        for (size_t i = 0; i < signals->options.n_sources; i++) {
                if (strcmp(signals->options.sources[i], source) == 0) {
                        return true;
                }
        }
        return false;
}

static void wake_listener(struct bus_signals *signals)
{
        uint64_t one = 1;

        (void)!write(signals->wake, &one, sizeof(one));
}

static bool enqueue_signal(struct bus_signals *signals, struct queued *item)
{

        pthread_mutex_lock(&signals->lock);
        bool fits = signals->n < QUEUE_MAX;
        if (fits) {
                signals->n++;
                *signals->end = item;
                signals->end = &item->next;
        }
        pthread_mutex_unlock(&signals->lock);
        return fits;
}

static void queue_if_wanted(struct bus_signals *signals, const uint8_t *packed, size_t len)
{
        struct queued *item = malloc(sizeof(*item) + len);

        if (item == NULL) {
                return;
        }
        item->next = NULL;
        item->heard_us = clock_monotonic_us();
        item->len = len;
        memcpy(item->packed, packed, len);
        if (!enqueue_signal(signals, item)) {
                metric_add(signals->dropped, 1);
                free(item);
        }
}

void bus_signal_offer_all(const char *source, const uint8_t *packed, size_t len)
{
        pthread_mutex_lock(&all_lock);
        for (struct bus_signals *signals = all; signals != NULL; signals = signals->next) {
                if (listens_to(signals, source)) {
                        queue_if_wanted(signals, packed, len);
                        wake_listener(signals);
                }
        }
        pthread_mutex_unlock(&all_lock);
}

static struct queued *dequeue_signal(struct bus_signals *signals)
{

        pthread_mutex_lock(&signals->lock);
        struct queued *item = signals->first;
        if (item != NULL) {
                signals->first = item->next;
                signals->n--;
                if (signals->first == NULL) {
                        signals->end = &signals->first;
                }
        }
        pthread_mutex_unlock(&signals->lock);
        return item;
}

/* ---- From Redis ---- */

static sn_status subscribe_channel(struct bus_signals *signals)
{
        CLEANUP(rpc_call_free_p)
        struct rpc_call *c = rpc_call_new_background(signals->options.service, BUS_SIGNAL_CALL_MS);
        const char **channels = ARENA_ARRAY(c->arena, const char *, signals->options.n_sources);

        for (size_t i = 0; i < signals->options.n_sources; i++) {
                channels[i] = bus_signal_channel(c->arena, signals->options.sources[i]);
        }
        TRY(redis_link_open(signals->options.service->redis, LINK_MS, &signals->link));
        return redis_link_subscribe(c, signals->link, channels, signals->options.n_sources, LINK_MS);
}

static void close_link(struct bus_signals *signals)
{
        redis_link_close(signals->link);
        signals->link = NULL;
}

static void report_connection(const struct bus_signals *signals, bool is_connected)
{
        if (signals->options.connected != NULL) {
                signals->options.connected(signals->options.context, is_connected);
        }
}

static void open_link(struct bus_signals *signals)
{
        if (signals->options.service->redis == NULL || signals->link != NULL ||
            clock_monotonic_us() < signals->link_retry_us) {
                return;
        }
        if (subscribe_channel(signals) != SN_OK) {
                close_link(signals);
                signals->link_retry_us = clock_monotonic_us() + LINK_RETRY_US;
        } else {
                report_connection(signals, true);
        }
}

static void offer_message(struct bus_signals *signals, struct str message)
{
        size_t head = UUID_SIZE - 1;

        if (message.len > head && memcmp(message.ptr, bus_signal_process(), head) != 0) {
                queue_if_wanted(signals, (const uint8_t *)message.ptr + head, message.len - head);
        }
}

/* Reads everything that has arrived: what cannot be handled in time is dropped here, instead of piling up in Redis. */
static void drain_link(struct bus_signals *signals)
{
        struct str message = {0};

        for (int i = 0; signals->link != NULL && i < QUEUE_MAX; i++) {
                CLEANUP(rpc_call_free_p)
                struct rpc_call *c = rpc_call_new_background(signals->options.service, BUS_SIGNAL_CALL_MS);

                if (redis_link_next_message(c, signals->link, &message) != SN_OK) {
                        close_link(signals);
                        report_connection(signals, false);
                } else if (message.ptr == NULL) {
                        return;
                } else {
                        offer_message(signals, message);
                }
        }
}

/* ---- The thread ---- */

static void deliver_signal(struct bus_signals *signals, const struct queued *item)
{
        CLEANUP(rpc_call_free_p)
        struct rpc_call *c = rpc_call_new_background(signals->options.service, BUS_SIGNAL_CALL_MS);
        ProtobufCMessage *event = NULL;

        if (clock_monotonic_us() - item->heard_us > LATE_US) {
                metric_add(signals->dropped, 1);
                return;
        }
        if (rpc_unpack(c, &events__event__message, item->packed, item->len, &event) == SN_OK &&
            listens_to(signals, ((bus_event *)event)->source)) {
                signals->options.take(signals->options.context, c, (bus_event *)event);
        }
}

static void wait_for_some(struct bus_signals *signals, int wait_ms)
{
        int link = signals->link != NULL ? redis_link_descriptor(signals->link) : -1;
        struct pollfd ready[] = {{.fd = signals->wake, .events = POLLIN}, {.fd = link, .events = POLLIN}};
        uint64_t n;

        if (poll(ready, 2, wait_ms) > 0 && (ready[0].revents & POLLIN) != 0) {
                (void)!read(signals->wake, &n, sizeof(n));
        }
}

static int64_t listen_for_signals(void *context)
{
        struct bus_signals *signals = context;
        bool waits_for_redis = signals->options.service->redis != NULL && signals->link == NULL;

        if (atomic_load(&signals->stopping)) {
                return TICKER_IDLE;
        }
        open_link(signals);
        drain_link(signals);
        struct queued *item = dequeue_signal(signals);

        if (item != NULL) {
                deliver_signal(signals, item);
                free(item);
        } else {
                wait_for_some(signals, waits_for_redis ? LINK_RETRY_US / 1000 : WAIT_MS);
        }
        return 0;
}

struct bus_signals *bus_signals_new(const struct bus_signals_options *options)
{
        struct bus_signals *signals = calloc(1, sizeof(*signals));

        if (signals == NULL || (signals->wake = eventfd(0, EFD_CLOEXEC | EFD_NONBLOCK)) < 0) {
                abort();
        }
        signals->options = *options;
        signals->end = &signals->first;
        signals->dropped = metric_counter("sonet_signals_dropped_total",
                                          "Signals for lossy channels dropped because they arrived too fast.", NULL);
        pthread_mutex_init(&signals->lock, NULL);
        pthread_mutex_lock(&all_lock);
        signals->next = all;
        all = signals;
        pthread_mutex_unlock(&all_lock);
        signals->ticker = ticker_new("signals", listen_for_signals, signals);
        return signals;
}

void bus_signals_stop(struct bus_signals *signals)
{
        atomic_store(&signals->stopping, true);
        wake_listener(signals);
}

static void unregister_listener(const struct bus_signals *signals)
{
        struct bus_signals **at = &all;

        pthread_mutex_lock(&all_lock);
        while (*at != signals) {
                at = &(*at)->next;
        }
        *at = signals->next;
        pthread_mutex_unlock(&all_lock);
}

void bus_signals_free(struct bus_signals *signals)
{
        if (signals == NULL) {
                return;
        }
        unregister_listener(signals);
        bus_signals_stop(signals);
        ticker_free(signals->ticker);
        close_link(signals);
        for (struct queued *item; (item = dequeue_signal(signals)) != NULL;) {
                free(item);
        }
        close(signals->wake);
        free(signals);
}
