/* Owns delivering a log's events to streams. Several events are delivered at once, and each stream gets them in
 * order (stream_turns.c). */
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include "base/clock.h"
#include "base/log.h"
#include "base/metrics.h"
#include "gateway/stream_batch.h"

#define CALL_MS       3000
#define RETRY_MS      100
#define MOST_FAILURES 5
#define BATCH_BYTES   (64 << 20)
#define STALE_MS      1000 /* a rendering older than this is made again */

/* ---- An event ---- */

typedef sn_status stream_attempt(struct rpc_call *c, void *context);

/* Retries while something is unreachable, for as long as it takes: late is better than never. */
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
                        log_event(LOG_LEVEL_ERROR, "an event could not be rendered for its streams",
                                  LOG_STR("sonet.source", log->source),
                                  LOG_STR("error.message", c->problem.detail != NULL ? c->problem.detail : ""));
                        return false;
                }
                clock_sleep_ms(RETRY_MS);
        }
        return false;
}

struct showing {
        const struct stream_turn *turn;
        const struct stream_target *targets;
        size_t n;
        bool can_be_less;
        bool was_too_large; /* nothing was sent */
};

/* Visibility may have changed while an earlier event waited for its service. */
static sn_status post_in_turn(const struct stream_turn *turn, struct stream_batch *batch)
{
        if (stream_turn_await(turn) > STALE_MS) {
                stream_batch_free(batch);
                return SN_UNAVAILABLE;
        }
        stream_batch_post(batch);
        return SN_OK;
}

static sn_status try_to_show(struct rpc_call *c, void *context)
{
        struct showing *showing = context;
        struct stream_log *log = showing->turn->log;
        struct stream_batch *batch = stream_batch_new(log->hub, log, showing->n, BATCH_BYTES);
        int64_t position = showing->turn->event->position;

        (void)snprintf(batch->position, sizeof(batch->position), "%s", stream_position(c, log->log_id, position));
        (void)snprintf(batch->before, sizeof(batch->before), "%s", stream_position(c, log->log_id, position - 1));
        sn_status status = stream_batch_show(c, batch, showing->turn->event, showing->targets, showing->n);

        if (status == SN_OK && !batch->text.overflow) {
                return post_in_turn(showing->turn, batch);
        }
        showing->was_too_large = showing->can_be_less && (status == SN_RESOURCE_EXHAUSTED || batch->text.overflow);
        stream_batch_free(batch);
        return showing->was_too_large ? SN_OK : status != SN_OK ? status : SN_INTERNAL;
}

/* Closes the streams; their clients reconnect and resume. */
static void cut_off(const struct stream_turn *turn, const struct stream_target *targets, size_t n)
{
        struct stream_log *log = turn->log;
        struct stream_batch *batch = stream_batch_new(log->hub, log, n, BATCH_BYTES);

        batch->fails = true;
        for (size_t i = 0; i < n; i++) {
                batch->items[batch->n++] = (struct stream_delivery){targets[i].stream, targets[i].sub, 0, 0};
        }
        (void)stream_turn_await(turn);
        stream_batch_post(batch);
}

static void show_all(const struct stream_turn *turn, struct stream_targets *targets)
{
        struct stream_log *log = turn->log;
        size_t most = STREAM_SHOWN_AT_ONCE; /* fewer after a response was too large */

        for (size_t at = 0, n; at < targets->n; at += n) {
                n = stream_targets_alike(targets->items + at, targets->n - at, most);
                struct showing showing = {
                    .turn = turn, .targets = targets->items + at, .n = n, .can_be_less = most > 1};

                if (!insist(log, try_to_show, &showing) && !bus_feed_stopping(log->feed)) {
                        cut_off(turn, showing.targets, n);
                } else if (showing.was_too_large) {
                        most /= 2;
                        n = 0;
                }
        }
}

/* One call for the routes of a service, continuing where the previous one ended. */
struct routing {
        const struct stream_turn *turn;
        const struct rpc_method *route;
        char next[128];
};

static sn_status route_some(struct rpc_call *c, void *context)
{
        struct routing *routing = context;
        Sonet__Live__RouteRequest in = SONET__LIVE__ROUTE_REQUEST__INIT;
        Sonet__Live__Routes out = SONET__LIVE__ROUTES__INIT;
        struct stream_targets targets = {0};
        struct stream_log *log = routing->turn->log;
        struct stream_origin origin = {log, routing->route, routing->turn->event->position};

        in.event = routing->turn->event;
        in.after = routing->next;
        TRY(rpc_invoke(c, routing->route, &in.base, &out.base));
        stream_targets_find(c, log->hub, &origin, &out, &targets);
        if (targets.n > 0) {
                show_all(routing->turn, &targets);
        }
        free(targets.items);
        (void)snprintf(routing->next, sizeof(routing->next), "%s", out.next);
        return SN_OK;
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
        struct stream_batch *batch = (struct stream_batch *)task;

        for (uint32_t i = 0; i < batch->hub->n_slots; i++) {
                if (batch->hub->streams[i] != NULL) {
                        stream_end(batch->hub->streams[i],
                                   batch->fails ? WEBSOCKET_INTERNAL_ERROR : WEBSOCKET_GOING_AWAY,
                                   batch->fails ? "an event could not be rendered; reconnect and resume"
                                                : "the event log was replaced; reload",
                                   NULL);
                }
        }
        stream_batch_free(batch);
}

/* The viewers are unknown: all clients reconnect and fetch what they missed. */
static void end_all_to_resume(const struct stream_turn *turn)
{
        struct stream_log *log = turn->log;
        struct stream_batch *batch = stream_batch_new(log->hub, log, 1, BATCH_BYTES);

        if (bus_feed_stopping(log->feed)) {
                stream_batch_free(batch);
                return;
        }
        batch->task.run = end_all;
        batch->fails = true;
        (void)stream_turn_await(turn);
        pthread_mutex_lock(&log->hub->lock);
        bool posted = stream_hub_post(log->hub, &batch->task);
        pthread_mutex_unlock(&log->hub->lock);
        if (!posted) {
                stream_batch_free(batch);
        }
}

static void route_and_show(const struct stream_turn *turn)
{
        struct stream_log *log = turn->log;
        struct stream_hub *hub = log->hub;

        for (size_t i = 0; i < hub->n_channels; i++) {
                struct routing routing = {turn, hub->channels[i].route, ""};
                struct stream_origin origin = {log, routing.route, turn->event->position};

                if (hub->channels[i].log != log || !is_first_with_route(hub, i) ||
                    !stream_origin_is_wanted(hub, &origin)) {
                        continue;
                }
                do {
                        if (!insist(log, route_some, &routing)) {
                                end_all_to_resume(turn);
                                break;
                        }
                } while (routing.next[0] != '\0');
        }
}

/* ---- Called by the feed ---- */

/* Under the lock. Before that, a client's position could be ahead of the log. */
static void set_ready(struct stream_log *log)
{
        if (!log->ready && log->position >= log->old_until) {
                log->ready = true;
                pthread_cond_broadcast(&log->hub->begun);
        }
}

/* From here on the event is not sent to new subscribers, but replayed to those that resume. */
static void pass(struct stream_log *log, const bus_event *event)
{
        pthread_mutex_lock(&log->hub->lock);
        stream_keep(log, event);
        log->position = event->position;
        set_ready(log);
        pthread_mutex_unlock(&log->hub->lock);
}

static void set_delivered(struct stream_log *log, int64_t position)
{
        pthread_mutex_lock(&log->hub->lock);
        log->delivered = position;
        pthread_mutex_unlock(&log->hub->lock);
}

static void begin_turn(const struct stream_turn *turn)
{
        pass(turn->log, turn->event);
}

static void deliver_turn(const struct stream_turn *turn)
{
        const bus_event *event = turn->event;

        route_and_show(turn);
        metric_observe_us(turn->log->hub->metrics.late,
                          clock_wall_us() - event->occurred_at->seconds * 1000000 - event->occurred_at->nanos / 1000);
        (void)stream_turn_await(turn);
        set_delivered(turn->log, event->position);
}

void stream_deliver(void *context, struct rpc_call *c, bus_event **events, size_t n, bool old)
{
        struct stream_log *log = context;

        if (!old) {
                stream_turns_deliver(log, events, n, begin_turn, deliver_turn);
                return;
        }
        for (size_t i = 0; i < n && !bus_feed_stopping(log->feed); i++) {
                pass(log, events[i]);
                set_delivered(log, events[i]->position);
        }
}

void stream_begin_log(void *context, const char *log_id, int64_t position, int64_t old_until)
{
        struct stream_log *log = context;
        struct stream_hub *hub = log->hub;
        struct stream_batch *batch = stream_batch_new(log->hub, log, 1, BATCH_BYTES);
        bool posted = false;

        batch->task.run = end_all;
        pthread_mutex_lock(&hub->lock);
        if (log->kept == NULL) {
                log->kept = calloc(STREAM_KEPT_EVENTS, sizeof(*log->kept));
                if (log->kept == NULL) {
                        abort();
                }
        }
        if (log->ready) { /* subscribers rely on events that are gone */
                posted = stream_hub_post(hub, &batch->task);
        }
        memcpy(log->log_id, log_id, UUID_SIZE);
        log->position = log->delivered = log->kept_after = position;
        log->n_kept = log->first_kept = 0;
        log->old_until = old_until;
        set_ready(log);
        pthread_mutex_unlock(&hub->lock);
        if (!posted) {
                stream_batch_free(batch);
        }
}
