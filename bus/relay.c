/* Owns the relay: committed events get their positions, in batches, and go to the service's stream under them.
 *
 * A position is given by one transaction at a time (the head's row is locked), to rows that its snapshot sees: what commits late gets
 * a later position, so nothing is ever placed behind a reader. The stream is only a quick way: whatever it misses, consumers read
 * from the outbox, so a batch that Redis did not take is not sent again. */
#include <hiredis/hiredis.h>
#include <pthread.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>
#include "base/clock.h"
#include "base/log.h"
#include "base/metrics.h"
#include "base/str.h"
#include "bus/bus.h"
#include "cache/redis.h"
#include "db/lease.h"

#define BATCH      500
#define POLL_MS    500 /* without a wake: for what another process, or this one before a crash, left behind */
#define PAUSE_MS   200 /* after a failure */
#define CALL_MS    10000
#define STREAM_MAX "10000"

struct bus_relay {
        struct service *service;
        pthread_t thread;
        pthread_mutex_t lock;
        pthread_cond_t cond;
        bool woken, stopping;
        struct metric *placed;
};

struct batch {
        Sonet__Events__Event **events;
        size_t n;
        const char *log_id;
};

DB_STATEMENT(SELECT_UNPLACED, "*", NULL, "select 1 from outbox where position is null limit 1");

DB_STATEMENT(LOCK_LOG_HEAD, "*", NULL, "select position, log_id from outbox_head for update");

DB_STATEMENT(PLACE_EVENTS, "*", &sonet__events__event__descriptor,
             "with batch as ("
             " select id, row_number() over (order by id) as n from"
             " (select id from outbox where position is null order by id limit $2) unplaced"
             "), placed as ("
             " update outbox o set position = $1 + batch.n from batch where o.id = batch.id returning o.*"
             "), head as ("
             " update outbox_head set position = $1 + (select count(*) from batch)"
             ") select event_id as id, position, type, aggregate_id, object_id, actor_id, version, trace_id, occurred_at"
             " from placed order by position");

static sn_status has_unplaced(struct rpc_call *c, bool *yes)
{
        CLEANUP(db_rollback_p) struct db_tx *tx = NULL;
        struct db_rows *rows;

        TRY(db_read(c, &tx));
        TRY(db_rows(tx, &SELECT_UNPLACED, DB_NO_BINDS, &rows));
        *yes = db_rows_count(rows) > 0;
        return SN_OK;
}

static sn_status place(struct rpc_call *c, struct batch *batch)
{
        CLEANUP(db_rollback_p) struct db_tx *tx = NULL;
        struct db_rows *head;

        TRY(db_begin(c, &tx));
        TRY(db_rows(tx, &LOCK_LOG_HEAD, DB_NO_BINDS, &head)); /* a statement of its own: the next one sees what the lock waited for */
        if (db_rows_count(head) != 1) {
                return rpc_fail(c, SN_INTERNAL, NULL, "outbox_head has no row");
        }
        batch->log_id = db_text(head, 0, "log_id");
        TRY(db_list(tx, &PLACE_EVENTS, DB_BINDS(bind_i64(db_i64(head, 0, "position")), bind_i64(BATCH)), &batch->n, &batch->events));
        for (size_t i = 0; i < batch->n; i++) {
                batch->events[i]->source = (char *)c->service->name;
                batch->events[i]->schema_version = 1;
        }
        return batch->n > 0 ? db_commit(c, NULL, &tx) : SN_OK;
}

static void add_event(struct rpc_call *c, struct redis_pipeline *p, const char *key, const struct batch *batch, size_t i)
{
        const Sonet__Events__Event *event = batch->events[i];
        size_t len = sonet__events__event__get_packed_size(event);
        uint8_t *packed = arena_alloc(c->arena, len);
        const char *id = arena_printf(c->arena, "%lld-0", (long long)event->position);
        const char *argv[] = {"XADD", key, "MAXLEN", "~", STREAM_MAX, id, "l", batch->log_id, "e", (const char *)packed};
        const size_t lengths[] = {4, strlen(key), 6, 1, strlen(STREAM_MAX), strlen(id), 1, strlen(batch->log_id), 1, len};

        (void)sonet__events__event__pack(event, packed);
        redis_pipeline_add(p, 10, argv, lengths);
}

/* Other errors (out of memory, a replica) pass by themselves. */
static bool is_in_the_way(const struct redisReply *reply)
{
        return reply->type == REDIS_REPLY_ERROR &&
               (strstr(reply->str, "equal or smaller") || strncmp(reply->str, "WRONGTYPE", 9) == 0);
}

/* refused: Redis did not take the first one, for its stream is further already. */
static sn_status send_batch(struct rpc_call *c, const char *key, const struct batch *batch, bool *refused)
{
        struct redis_pipeline *p = redis_pipeline_new(c, c->service->redis);
        struct redisReply **replies;
        size_t n;

        for (size_t i = 0; i < batch->n; i++) {
                add_event(c, p, key, batch, i);
        }
        TRY(redis_pipeline_run(p, &n, &replies));
        *refused = n > 0 && is_in_the_way(replies[0]);
        return SN_OK;
}

/* Another log's stream, or one that is ahead of us (this database or that Redis came from a backup), is in the way: it goes. */
static sn_status clear_stream(struct rpc_call *c, const char *key)
{
        const char *argv[] = {"DEL", key};
        struct redisReply *reply;

        log_event(LOG_LEVEL_WARN, "a stream of other events is in the way and goes", LOG_STR("sonet.stream", key));
        return redis_command(c, c->service->redis, 2, argv, NULL, &reply);
}

/* The same batch may be there already, when the answer to an earlier try was lost. */
static bool is_ours(const struct redisReply *top, const struct batch *batch)
{
        if (top->type != REDIS_REPLY_ARRAY || top->elements != 1 || top->element[0]->elements != 2) {
                return false;
        }
        const struct redisReply *fields = top->element[0]->element[1];
        struct str id = {top->element[0]->element[0]->str, (size_t)top->element[0]->element[0]->len}, number;
        int64_t position;

        return str_next(&id, '-', &number) && str_to_i64(number, &position) && position <= batch->events[batch->n - 1]->position &&
               fields->elements >= 2 && fields->element[1]->type == REDIS_REPLY_STRING &&
               strcmp(fields->element[1]->str, batch->log_id) == 0;
}

static sn_status publish(struct rpc_call *c, const struct batch *batch)
{
        char *key = redis_key(c->arena, REDIS_KEY_EVENT_STREAM, c->service->name);
        const char *newest[] = {"XREVRANGE", key, "+", "-", "COUNT", "1"};
        struct redisReply *top;
        bool refused;

        TRY(send_batch(c, key, batch, &refused));
        if (!refused) {
                return SN_OK;
        }
        if (redis_command(c, c->service->redis, 6, newest, NULL, &top) == SN_OK && is_ours(top, batch)) {
                return SN_OK;
        }
        TRY(clear_stream(c, key));
        return send_batch(c, key, batch, &refused);
}

/* One batch. more: another one may be waiting. */
static sn_status work(struct bus_relay *relay, struct rpc_call *c, bool *more)
{
        struct batch batch = {0};
        bool any = false;

        *more = false;
        TRY(has_unplaced(c, &any));
        if (!any) {
                return SN_OK;
        }
        TRY(place(c, &batch));
        *more = batch.n == BATCH;
        metric_add(relay->placed, (int64_t)batch.n);
        if (batch.n > 0 && c->service->redis && publish(c, &batch) != SN_OK) {
                log_event(LOG_LEVEL_DEBUG, "events were not streamed: consumers read them from the outbox");
        }
        return SN_OK;
}

static bool may_work(const struct bus_relay *relay)
{
        return !relay->service->lease || db_lease_held(relay->service->lease);
}

static void pause_for(struct bus_relay *relay, int64_t ms, bool until_woken)
{
        struct timespec until;

        (void)clock_gettime(CLOCK_MONOTONIC, &until);
        until.tv_sec += ms / 1000;
        until.tv_nsec += ms % 1000 * 1000000;
        if (until.tv_nsec >= 1000000000) {
                until.tv_sec++;
                until.tv_nsec -= 1000000000;
        }
        (void)pthread_mutex_lock(&relay->lock);
        while (!relay->stopping && !(until_woken && relay->woken) &&
               pthread_cond_timedwait(&relay->cond, &relay->lock, &until) == 0) {
        }
        relay->woken = relay->woken && !until_woken;
        (void)pthread_mutex_unlock(&relay->lock);
}

static bool is_stopping(struct bus_relay *relay)
{
        (void)pthread_mutex_lock(&relay->lock);
        bool stopping = relay->stopping;
        (void)pthread_mutex_unlock(&relay->lock);
        return stopping;
}

static void *run(void *context)
{
        struct bus_relay *relay = context;

        while (!is_stopping(relay)) {
                bool more = false;
                sn_status status = SN_OK;

                if (may_work(relay)) {
                        CLEANUP(rpc_call_free_p) struct rpc_call *c = rpc_call_new_background(relay->service, CALL_MS);

                        status = work(relay, c, &more);
                }
                if (status != SN_OK) {
                        pause_for(relay, PAUSE_MS, false);
                } else if (!more) {
                        pause_for(relay, POLL_MS, true);
                }
        }
        return NULL;
}

struct bus_relay *bus_relay_new(struct service *service)
{
        struct bus_relay *relay = calloc(1, sizeof(*relay));
        pthread_condattr_t attributes;

        if (!relay) {
                abort();
        }
        relay->service = service;
        relay->placed = metric_counter("sonet_bus_events_placed_total", "Events that this process gave a position.", NULL);
        (void)pthread_mutex_init(&relay->lock, NULL);
        (void)pthread_condattr_init(&attributes);
        (void)pthread_condattr_setclock(&attributes, CLOCK_MONOTONIC);
        (void)pthread_cond_init(&relay->cond, &attributes);
        (void)pthread_condattr_destroy(&attributes);
        if (pthread_create(&relay->thread, NULL, run, relay) != 0) {
                abort();
        }
        (void)pthread_setname_np(relay->thread, "bus-relay");
        return relay;
}

void bus_relay_wake(struct bus_relay *relay)
{
        (void)pthread_mutex_lock(&relay->lock);
        relay->woken = true;
        (void)pthread_cond_signal(&relay->cond);
        (void)pthread_mutex_unlock(&relay->lock);
}

void bus_relay_free(struct bus_relay *relay)
{
        if (!relay) {
                return;
        }
        (void)pthread_mutex_lock(&relay->lock);
        relay->stopping = true;
        (void)pthread_cond_signal(&relay->cond);
        (void)pthread_mutex_unlock(&relay->lock);
        (void)pthread_join(relay->thread, NULL);
        (void)pthread_cond_destroy(&relay->cond);
        (void)pthread_mutex_destroy(&relay->lock);
        free(relay);
}
