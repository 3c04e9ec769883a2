/* Owns what all streams share: start and stop, the table of streams, and checking for ended sessions. */
#include <stdlib.h>
#include <string.h>
#include "auth/token.h"
#include "base/clock.h"
#include "base/metrics.h"
#include "gateway/stream.h"

#define LOOK_MS      250    /* a stream ends within a second of its session */
#define WAIT_US      500000 /* for a log that is not followed yet, */
#define MOST_WAITING 2      /* by at most this many workers */

/* ---- Streams by id: on the I/O thread ---- */

static bool make_room(struct stream_hub *hub)
{
        uint32_t n = hub->n_slots == 0 ? 64 : hub->n_slots * 2;
        struct stream **streams = realloc(hub->streams, n * sizeof(struct stream *));

        if (streams == NULL) {
                return false;
        }
        hub->streams = streams;
        uint32_t *free_slots = realloc(hub->free_slots, n * sizeof(*free_slots));

        if (free_slots == NULL) {
                return false;
        }
        hub->free_slots = free_slots;
        for (uint32_t slot = n; slot-- > hub->n_slots;) {
                streams[slot] = NULL;
                free_slots[hub->n_free++] = slot;
        }
        hub->n_slots = n;
        return true;
}

bool stream_hub_add(struct stream_hub *hub, struct stream *s)
{
        if (hub->n_free == 0 && !make_room(hub)) {
                return false;
        }
        uint32_t slot = hub->free_slots[--hub->n_free];

        hub->streams[slot] = s;
        s->id = (uint64_t)++hub->generation << 32 | slot;
        return true;
}

void stream_hub_remove(struct stream_hub *hub, const struct stream *s)
{
        uint32_t slot = (uint32_t)s->id;

        hub->streams[slot] = NULL;
        hub->free_slots[hub->n_free++] = slot;
}

struct stream *stream_hub_find(const struct stream_hub *hub, uint64_t id)
{
        uint32_t slot = (uint32_t)id;
        struct stream *s = slot < hub->n_slots ? hub->streams[slot] : NULL;

        return s != NULL && s->id == id ? s : NULL;
}

/* ---- Ended sessions ---- */

static void end_ended(struct http_task *task)
{
        struct stream_hub *hub = (struct stream_hub *)(void *)((char *)task - offsetof(struct stream_hub, ended_task));

        atomic_store(&hub->ended_posted, false);
        for (uint32_t i = 0; i < hub->n_slots; i++) {
                struct stream *s = hub->streams[i];

                if (s != NULL) {
                        stream_end_if_revoked(s);
                }
        }
}

/* Walks the streams only if a session has ended since the last check. */
static void look_for_ended(struct stream_hub *hub)
{
        uint64_t revocations = token_revocations();

        if (revocations == hub->revocations) {
                return;
        }
        pthread_mutex_lock(&hub->lock);
        if (!atomic_exchange(&hub->ended_posted, true)) {
                hub->revocations = revocations;
                hub->ended_task.run = end_ended;
                (void)stream_hub_post(hub, &hub->ended_task);
        }
        pthread_mutex_unlock(&hub->lock);
}

/* ---- Logs ---- */

static void follow(struct stream_hub *hub, struct stream_log *log)
{
        log->feed = bus_feed_new(&(struct bus_feed_options){.service = &hub->gateway->service,
                                                            .source = log->source,
                                                            .read_outbox = log->read_outbox,
                                                            .backlog_s = STREAM_KEPT_S,
                                                            .take = stream_deliver,
                                                            .begin = stream_begin_log,
                                                            .context = log});
}

/* Started at once, so that there is a backlog to resume from and no client has to wait. */
static void follow_all(struct stream_hub *hub)
{
        pthread_mutex_lock(&hub->lock);
        for (size_t i = 0; i < hub->n_logs && !hub->stopping; i++) {
                if (hub->logs[i].feed == NULL) {
                        follow(hub, &hub->logs[i]);
                }
        }
        pthread_mutex_unlock(&hub->lock);
}

static int64_t look_after_feeds(void *context)
{
        struct stream_hub *hub = context;

        if (gateway_is_serving(hub->gateway)) {
                follow_all(hub);
                look_for_ended(hub);
        }
        return LOOK_MS;
}

sn_status stream_hub_wait(struct rpc_call *c, struct stream_log *log)
{
        struct stream_hub *hub = log->hub;
        int64_t until_us = clock_monotonic_us() + WAIT_US;

        pthread_mutex_lock(&hub->lock);
        bool waits = hub->n_waiting < MOST_WAITING;
        hub->n_waiting += waits;
        while (waits && !log->ready && !hub->stopping && cond_wait_until(&hub->begun, &hub->lock, until_us)) {
        }
        hub->n_waiting -= waits;
        bool ready = log->ready && !hub->stopping;
        pthread_mutex_unlock(&hub->lock);
        return ready
                   ? SN_OK
                   : rpc_fail(c, SN_UNAVAILABLE, NULL, "the channel is temporarily unavailable; try again in a second");
}

/* ---- Subscriptions ---- */

void stream_hub_register(struct stream_hub *hub, struct stream_sub *sub, const char *topic, int64_t from)
{
        sub->from = from;
        sub->channel->n_subscribed++;
        stream_table_add(hub->topics, topic, sub);
        metric_add(hub->metrics.subscriptions, 1);
}

void stream_hub_unregister(struct stream_hub *hub, struct stream_sub *sub)
{
        if (sub->topic != NULL) {
                sub->channel->n_subscribed--;
                stream_table_remove(hub->topics, sub);
                metric_add(hub->metrics.subscriptions, -1);
        }
}

/* ---- Start and stop ---- */

bool stream_hub_post(struct stream_hub *hub, struct http_task *task)
{
        if (hub->server == NULL) {
                return false;
        }
        http_server_post(hub->server, task);
        return true;
}

static void register_metrics(struct stream_metrics *m)
{
        m->sockets = metric_gauge("sonet_streams", "Open streams.", "kind=\"websocket\"");
        m->event_sources = metric_gauge("sonet_streams", "Open streams.", "kind=\"events\"");
        m->subscriptions = metric_gauge("sonet_stream_subscriptions", "Channel subscriptions on all streams.", NULL);
        m->events = metric_counter("sonet_stream_events_total", "Events sent on streams.", NULL);
        m->slow = metric_counter("sonet_stream_slow_readers_total",
                                 "Streams closed because the client read too slowly.", NULL);
        m->dropped = metric_counter("sonet_stream_dropped_total",
                                    "Events of lossy channels dropped because they arrived too fast.", NULL);
        m->late = metric_histogram("sonet_stream_delivery_seconds",
                                   "Time from a change until it is handed to its streams.", NULL);
}

struct stream_hub *stream_hub_new(struct gateway *gateway, struct buf *error)
{
        struct stream_hub *hub = calloc(1, sizeof(*hub));

        if (hub == NULL) {
                return NULL;
        }
        hub->gateway = gateway;
        pthread_mutex_init(&hub->lock, NULL);
        pthread_cond_init(&hub->begun, NULL);
        pthread_cond_init(&hub->idle, NULL);
        hub->topics = stream_table_new();
        hub->addresses = stream_table_new();
        hub->members = stream_table_new();
        register_metrics(&hub->metrics);
        if (stream_channels_find(hub, gateway->options.contracts, gateway->options.n_contracts, error) != SN_OK) {
                stream_hub_free(hub);
                return NULL;
        }
        return hub;
}

void stream_hub_serve(struct stream_hub *hub, struct http_server *server)
{
        pthread_mutex_lock(&hub->lock);
        hub->server = server;
        pthread_mutex_unlock(&hub->lock);
        if (hub->n_channels > 0) {
                hub->helpers = workers_new("streams", STREAM_HELPERS, STREAM_LOGS_MAX * STREAM_EVENTS_AT_ONCE);
                hub->ticker = ticker_new("streams", look_after_feeds, hub);
        }
        stream_signals_begin(hub);
}

void stream_hub_stop(struct stream_hub *hub)
{
        if (hub == NULL) {
                return;
        }
        pthread_mutex_lock(&hub->lock);
        hub->stopping = true;
        hub->server = NULL;
        for (size_t i = 0; i < hub->n_logs; i++) {
                if (hub->logs[i].feed != NULL) {
                        bus_feed_stop(hub->logs[i].feed);
                }
        }
        pthread_cond_broadcast(&hub->begun);
        pthread_mutex_unlock(&hub->lock);
        if (hub->signals != NULL) {
                bus_signals_stop(hub->signals);
        }
}

void stream_hub_free(struct stream_hub *hub)
{
        if (hub == NULL) {
                return;
        }
        ticker_free(hub->ticker);
        bus_signals_free(hub->signals);
        for (size_t i = 0; i < hub->n_logs; i++) {
                bus_feed_free(hub->logs[i].feed);
                free(hub->logs[i].kept);
        }
        workers_free(hub->helpers);
        pthread_mutex_lock(&hub->lock);
        while (hub->n_commands > 0) {
                pthread_cond_wait(&hub->idle, &hub->lock);
        }
        pthread_mutex_unlock(&hub->lock);
        stream_table_free(hub->topics);
        stream_table_free(hub->addresses);
        stream_table_free(hub->members);
        free(hub->channels);
        free(hub->logs);
        free(hub->signal_sources);
        free(hub->streams);
        free(hub->free_slots);
        free(hub);
}
