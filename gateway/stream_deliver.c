/* Owns the way from a log's events to the streams that are to see them, on the thread of the log's feed: an event after
 * the other, so that each stream sees them in order. */
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include "base/clock.h"
#include "base/log.h"
#include "base/metrics.h"
#include "gateway/stream.h"
#include "json/json.h"
#include "sonet/live.pb-c.h"

#define CALL_MS       3000
#define RETRY_MS      100
#define MOST_FAILURES 5
#define BATCH_BYTES   (64 << 20)

/* ---- Who is to see it ---- */

/* A subscription that an event may concern, as it was when the lock was held. */
struct target {
        struct stream_channel *channel;
        const char *topic; /* without the viewer's id */
        char viewer[UUID_SIZE];
        uint64_t stream;
        uint32_t sub;
};

struct targets {
        struct target *items;
        size_t n, capacity;
};

static void add_target(struct targets *targets, const struct stream_sub *sub, const char *topic)
{
        if (targets->n == targets->capacity) {
                size_t capacity = targets->capacity == 0 ? 64 : targets->capacity * 2;
                struct target *larger = realloc(targets->items, capacity * sizeof(struct target));

                if (larger == NULL) {
                        abort();
                }
                targets->items = larger;
                targets->capacity = capacity;
        }
        struct target *t = &targets->items[targets->n++];

        *t = (struct target){sub->channel, topic, "", sub->stream->id, sub->number};
        memcpy(t->viewer, sub->stream->viewer, UUID_SIZE);
}

static const char *base_topic(struct arena *arena, const struct stream_sub *sub, const char *topic)
{
        size_t len = strlen(topic);

        return sub->personal && len >= UUID_SIZE ? arena_strndup(arena, topic, len - UUID_SIZE) : topic;
}

static void find_targets(struct rpc_call *c, struct stream_log *log, const Sonet__Live__Routes *routes,
                         int64_t position, struct targets *targets)
{
        pthread_mutex_lock(&log->hub->lock);
        for (size_t i = 0; i < routes->n_topics; i++) {
                const struct stream_sub *sub = stream_table_find(log->hub->topics, routes->topics[i]);
                const char *topic = sub != NULL ? base_topic(c->arena, sub, routes->topics[i]) : NULL;

                for (; sub != NULL; sub = sub->topic_next) {
                        if (sub->from < position) {
                                add_target(targets, sub, topic);
                        }
                }
        }
        pthread_mutex_unlock(&log->hub->lock);
}

static int compare_targets(const void *a, const void *b)
{
        const struct target *x = a, *y = b;
        int order = x->channel != y->channel ? (x->channel < y->channel ? -1 : 1) : strcmp(x->topic, y->topic);

        return order != 0 ? order : strcmp(x->viewer, y->viewer);
}

/* ---- What they are sent ---- */

struct delivery {
        uint64_t stream;
        uint32_t sub;
        size_t at, len; /* of the message behind the channel's name */
};

struct batch {
        struct http_task task;
        struct stream_hub *hub;
        const struct stream_log *log;
        struct buf text;
        char position[STREAM_POSITION_SIZE], before[STREAM_POSITION_SIZE]; /* of the event, and of the one before it */
        struct delivery *items;
        size_t n;
        bool fails; /* the streams are to be closed instead */
};

static void free_batch(struct batch *batch)
{
        buf_free(&batch->text);
        free(batch->items);
        free(batch);
}

static void send_one(const struct batch *batch, const struct delivery *d, struct stream *s,
                     const struct stream_sub *sub)
{
        struct buf text;

        buf_init(&text, d->len + 2 * STREAM_MESSAGE_BYTES);
        buf_append_c(&text, "{\"type\":\"event\",\"channel\":");
        json_write_string(&text, sub->name, strlen(sub->name));
        buf_append(&text, batch->text.data + d->at, d->len);
        /* Several channels may have the same event: until the next one none of them is passed. While one is being
         * subscribed to, none is at all. */
        if (s->command != NULL) {
                stream_send(s, text.data, text.len);
        } else {
                stream_send_at(s, text.data, text.len, batch->log, s->n_subs > 1 ? batch->before : batch->position,
                               true);
        }
        metric_add(s->hub->metrics.events, 1);
        buf_free(&text);
}

/* On the I/O thread. */
static void send_batch(struct http_task *task)
{
        struct batch *batch = (struct batch *)task;

        for (size_t i = 0; i < batch->n; i++) {
                struct stream *s = stream_hub_find(batch->hub, batch->items[i].stream);
                const struct stream_sub *sub = s != NULL ? stream_find_sub(s, batch->items[i].sub) : NULL;

                if (sub != NULL && batch->fails) {
                        stream_end(s, WEBSOCKET_INTERNAL_ERROR, "an event could not be shown; connect again and resume",
                                   NULL);
                } else if (sub != NULL) {
                        send_one(batch, &batch->items[i], s, sub);
                }
        }
        free_batch(batch);
}

static void post_batch(struct batch *batch)
{
        struct stream_hub *hub = batch->hub;

        batch->task.run = send_batch;
        pthread_mutex_lock(&hub->lock);
        bool posted = batch->n > 0 && stream_hub_post(hub, &batch->task);
        pthread_mutex_unlock(&hub->lock);
        if (!posted) {
                free_batch(batch);
        }
}

static struct batch *new_batch(const struct stream_log *log, size_t most)
{
        struct batch *batch = calloc(1, sizeof(*batch));
        struct delivery *items = calloc(most, sizeof(*items));

        if (batch == NULL || items == NULL) {
                abort();
        }
        batch->hub = log->hub;
        batch->log = log;
        batch->items = items;
        buf_init(&batch->text, BATCH_BYTES);
        return batch;
}

/* ---- An event ---- */

/* Some targets of one topic, in order of their viewers, with so many different ones. */
static sn_status show_to(struct rpc_call *c, bus_event *event, const struct target *targets, size_t n,
                         struct batch *batch)
{
        char **viewers = ARENA_ARRAY(c->arena, char *, n);
        size_t n_viewers = 0, n_shown = 0;
        struct stream_shown *shown = NULL;

        for (size_t i = 0; i < n; i++) {
                if (i == 0 || strcmp(targets[i].viewer, targets[i - 1].viewer) != 0) {
                        viewers[n_viewers++] = (char *)targets[i].viewer;
                }
        }
        TRY(stream_channel_show(c, targets[0].channel, targets[0].topic, &event, 1, viewers, n_viewers, &shown,
                                &n_shown));
        for (size_t k = 0; k < n_shown; k++) {
                size_t at = batch->text.len;

                stream_write_event_rest(&batch->text, &shown[k], batch->position);
                for (size_t i = 0; i < n; i++) {
                        if (strcmp(targets[i].viewer, viewers[shown[k].viewer]) == 0) {
                                batch->items[batch->n++] =
                                    (struct delivery){targets[i].stream, targets[i].sub, at, batch->text.len - at};
                        }
                }
        }
        return SN_OK;
}

typedef sn_status stream_attempt(struct rpc_call *c, void *context);

/* Again while something is unreachable, for as long as it takes: later is better than never. */
static bool insist(struct stream_log *log, stream_attempt *attempt, void *context)
{
        for (int failures = 0; !bus_feed_stopping(log->feed);) {
                CLEANUP(rpc_call_free_p)
                struct rpc_call *c = rpc_call_new_background(&log->hub->gateway->service, CALL_MS);
                sn_status status = attempt(c, context);

                if (status == SN_OK) {
                        return true;
                }
                failures += status != SN_UNAVAILABLE;
                if (failures == MOST_FAILURES) {
                        log_event(LOG_LEVEL_ERROR, "an event could not be shown on its streams",
                                  LOG_STR("sonet.source", log->source),
                                  LOG_STR("error.message", c->problem.detail != NULL ? c->problem.detail : ""));
                        return false;
                }
                clock_sleep_ms(RETRY_MS);
        }
        return false;
}

struct showing {
        struct stream_log *log;
        bus_event *event;
        const struct target *targets;
        size_t n;
        bool can_be_less;
        bool was_too_large; /* nothing was sent */
};

static sn_status try_to_show(struct rpc_call *c, void *context)
{
        struct showing *showing = context;
        struct stream_log *log = showing->log;
        struct batch *batch = new_batch(log, showing->n);
        int64_t position = showing->event->position;

        (void)snprintf(batch->position, sizeof(batch->position), "%s", stream_position(c, log->log_id, position));
        (void)snprintf(batch->before, sizeof(batch->before), "%s", stream_position(c, log->log_id, position - 1));
        sn_status status = show_to(c, showing->event, showing->targets, showing->n, batch);

        if (status == SN_OK && !batch->text.overflow) {
                post_batch(batch);
                return SN_OK;
        }
        showing->was_too_large = showing->can_be_less && (status == SN_RESOURCE_EXHAUSTED || batch->text.overflow);
        free_batch(batch);
        return showing->was_too_large ? SN_OK : status != SN_OK ? status : SN_INTERNAL;
}

/* They come back and resume. */
static void cut_off(struct stream_log *log, const struct target *targets, size_t n)
{
        struct batch *batch = new_batch(log, n);

        batch->fails = true;
        for (size_t i = 0; i < n; i++) {
                batch->items[batch->n++] = (struct delivery){targets[i].stream, targets[i].sub, 0, 0};
        }
        post_batch(batch);
}

/* How many targets from the first on are of its topic, and have at most so many viewers. */
static size_t count_alike(const struct target *targets, size_t n, size_t most)
{
        size_t viewers = 1, i = 1;

        for (; i < n && targets[i].channel == targets[0].channel && strcmp(targets[i].topic, targets[0].topic) == 0;
             i++) {
                viewers += strcmp(targets[i].viewer, targets[i - 1].viewer) != 0;
                if (viewers > most) {
                        break;
                }
        }
        return i;
}

static void show_all(struct stream_log *log, bus_event *event, struct targets *targets)
{
        size_t most = STREAM_SHOWN_AT_ONCE; /* fewer once an answer was too large */

        qsort(targets->items, targets->n, sizeof(struct target), compare_targets);
        for (size_t at = 0, n; at < targets->n; at += n) {
                n = count_alike(targets->items + at, targets->n - at, most);
                struct showing showing = {
                    .log = log, .event = event, .targets = targets->items + at, .n = n, .can_be_less = most > 1};

                if (!insist(log, try_to_show, &showing) && !bus_feed_stopping(log->feed)) {
                        cut_off(log, showing.targets, n);
                } else if (showing.was_too_large) {
                        most /= 2;
                        n = 0;
                }
        }
}

/* One look at the routes of a service, from where the one before ended. */
struct routing {
        struct stream_log *log;
        const struct rpc_method *route;
        bus_event *event;
        char next[128];
};

static sn_status route_some(struct rpc_call *c, void *context)
{
        struct routing *routing = context;
        Sonet__Live__RouteRequest in = SONET__LIVE__ROUTE_REQUEST__INIT;
        Sonet__Live__Routes out = SONET__LIVE__ROUTES__INIT;
        struct targets targets = {0};

        in.event = routing->event;
        in.after = routing->next;
        TRY(rpc_invoke(c, routing->route, &in.base, &out.base));
        find_targets(c, routing->log, &out, routing->event->position, &targets);
        if (targets.n > 0) {
                show_all(routing->log, routing->event, &targets);
        }
        free(targets.items);
        (void)snprintf(routing->next, sizeof(routing->next), "%s", out.next);
        return SN_OK;
}

static bool is_listened_to(struct stream_log *log, const struct rpc_method *route)
{
        size_t n = 0;

        pthread_mutex_lock(&log->hub->lock);
        for (size_t i = 0; i < log->hub->n_channels; i++) {
                const struct stream_channel *channel = &log->hub->channels[i];

                n += channel->log == log && channel->route == route ? channel->n_subscribed : 0;
        }
        pthread_mutex_unlock(&log->hub->lock);
        return n > 0;
}

static bool is_first_with_route(const struct stream_hub *hub, size_t channel)
{
        for (size_t i = 0; i < channel; i++) {
                if (hub->channels[i].log == hub->channels[channel].log &&
                    hub->channels[i].route == hub->channels[channel].route) {
                        return false;
                }
        }
        return true;
}

static void end_all(struct http_task *task)
{
        struct batch *batch = (struct batch *)task;

        for (uint32_t i = 0; i < batch->hub->n_slots; i++) {
                if (batch->hub->streams[i] != NULL) {
                        stream_end(batch->hub->streams[i],
                                   batch->fails ? WEBSOCKET_INTERNAL_ERROR : WEBSOCKET_GOING_AWAY,
                                   batch->fails ? "an event could not be shown; connect again and resume"
                                                : "the log was replaced; read anew",
                                   NULL);
                }
        }
        free_batch(batch);
}

/* Whom the event concerns is not known: all come back, and ask for what they missed. */
static void end_all_to_resume(struct stream_log *log)
{
        struct batch *batch = new_batch(log, 1);

        if (bus_feed_stopping(log->feed)) {
                free_batch(batch);
                return;
        }
        batch->task.run = end_all;
        batch->fails = true;
        pthread_mutex_lock(&log->hub->lock);
        bool posted = stream_hub_post(log->hub, &batch->task);
        pthread_mutex_unlock(&log->hub->lock);
        if (!posted) {
                free_batch(batch);
        }
}

static void deliver(struct stream_log *log, bus_event *event)
{
        struct stream_hub *hub = log->hub;

        for (size_t i = 0; i < hub->n_channels; i++) {
                struct routing routing = {log, hub->channels[i].route, event, ""};

                if (hub->channels[i].log != log || !is_first_with_route(hub, i) ||
                    !is_listened_to(log, routing.route)) {
                        continue;
                }
                do {
                        if (!insist(log, route_some, &routing)) {
                                end_all_to_resume(log);
                                break;
                        }
                } while (routing.next[0] != '\0');
        }
}

/* ---- What the feed calls ---- */

/* Under the lock. Before that a position that a client has might lie ahead. */
static void set_ready(struct stream_log *log)
{
        if (!log->ready && log->position >= log->old_until) {
                log->ready = true;
                pthread_cond_broadcast(&log->hub->begun);
        }
}

/* From here on whoever subscribes is not owed the event, and whoever resumes finds it among those that are kept. */
static void pass(struct stream_log *log, const bus_event *event)
{
        pthread_mutex_lock(&log->hub->lock);
        stream_keep(log, event);
        log->position = event->position;
        set_ready(log);
        pthread_mutex_unlock(&log->hub->lock);
}

static void set_delivered(struct stream_log *log)
{
        pthread_mutex_lock(&log->hub->lock);
        log->delivered = log->position;
        pthread_mutex_unlock(&log->hub->lock);
}

void stream_deliver(void *context, struct rpc_call *c, bus_event **events, size_t n, bool old)
{
        struct stream_log *log = context;

        for (size_t i = 0; i < n && !bus_feed_stopping(log->feed); i++) {
                pass(log, events[i]);
                if (!old) {
                        deliver(log, events[i]);
                        metric_observe_us(log->hub->metrics.late, clock_wall_us() -
                                                                      events[i]->occurred_at->seconds * 1000000 -
                                                                      events[i]->occurred_at->nanos / 1000);
                }
                set_delivered(log);
        }
}

void stream_begin_log(void *context, const char *log_id, int64_t position, int64_t old_until)
{
        struct stream_log *log = context;
        struct stream_hub *hub = log->hub;
        struct batch *batch = new_batch(log, 1);
        bool posted = false;

        batch->task.run = end_all;
        pthread_mutex_lock(&hub->lock);
        if (log->kept == NULL) {
                log->kept = calloc(STREAM_KEPT_EVENTS, sizeof(*log->kept));
                if (log->kept == NULL) {
                        abort();
                }
        }
        if (log->ready) { /* those who were subscribed count on what is gone */
                posted = stream_hub_post(hub, &batch->task);
        }
        memcpy(log->log_id, log_id, UUID_SIZE);
        log->position = log->delivered = log->kept_after = position;
        log->n_kept = log->first_kept = 0;
        log->old_until = old_until;
        set_ready(log);
        pthread_mutex_unlock(&hub->lock);
        if (!posted) {
                free_batch(batch);
        }
}
