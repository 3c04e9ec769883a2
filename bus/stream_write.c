/* Owns writing a service's stream: XADD under the event's position, and handling a stream that is not ours. */
#include "bus/stream_entry.h"
#include "bus/stream_write.h"

#include <hiredis/hiredis.h>
#include <string.h>
#include "base/log.h"
#include "base/str.h"
#include "cache/redis.h"

#define STREAM_MAX "10000"

static void add_event(struct rpc_call *c, struct redis_pipeline *p, const char *key, const struct relay_batch *batch,
                      size_t i)
{
        const Sonet__Events__Event *event = batch->events[i];
        size_t len = sonet__events__event__get_packed_size(event);
        uint8_t *packed = arena_alloc(c->arena, len);
        const char *id = arena_printf(c->arena, "%lld-0", (long long)event->position);
        const char *argv[] = {"XADD", key, "MAXLEN",      "~", STREAM_MAX,
                              id,     "l", batch->log_id, "e", (const char *)packed};
        const size_t lengths[] = {4, strlen(key),           6, 1,  strlen(STREAM_MAX), strlen(id),
                                  1, strlen(batch->log_id), 1, len};

        (void)sonet__events__event__pack(event, packed);
        redis_pipeline_add(p, 10, argv, lengths);
}

/* Other errors (out of memory, a replica) pass by themselves. */
static bool is_position_conflict(const struct redisReply *reply)
{
        return reply->type == REDIS_REPLY_ERROR &&
               (strstr(reply->str, "equal or smaller") != NULL || strncmp(reply->str, "WRONGTYPE", 9) == 0);
}

/* refused: Redis did not take the first event, since its stream is already ahead. */
static sn_status send_batch(struct rpc_call *c, const char *key, const struct relay_batch *batch, bool *refused)
{
        struct redis_pipeline *p = redis_pipeline_new(c, c->service->redis);
        struct redisReply **replies;
        size_t n;

        for (size_t i = 0; i < batch->n; i++) {
                add_event(c, p, key, batch, i);
        }
        TRY(redis_pipeline_run(p, &n, &replies));
        *refused = n > 0 && is_position_conflict(replies[0]);
        return SN_OK;
}

struct top {
        int64_t position; /* 0: no stream */
        struct str log_id;
        bool has_event;
};

static struct str text_of(const struct redisReply *reply)
{
        return reply->type == REDIS_REPLY_STRING ? (struct str){reply->str, (size_t)reply->len} : (struct str){0};
}

/* [[id, [l, log_id, e, event]]]; anything else was not written by a relay */
static void parse_top(const struct redisReply *reply, struct top *top)
{
        struct str number;

        *top = (struct top){0};
        if (reply->type != REDIS_REPLY_ARRAY || reply->elements != 1 || reply->element[0]->elements != 2) {
                return;
        }
        const struct redisReply *fields = reply->element[0]->element[1];

        struct str id = text_of(reply->element[0]->element[0]);
        if (!str_next(&id, '-', &number) || !str_to_i64(number, &top->position)) {
                top->position = INT64_MAX;
        }
        if (fields->elements >= 2) {
                top->log_id = text_of(fields->element[1]);
                top->has_event = fields->elements > 2;
        }
}

static sn_status read_top(struct rpc_call *c, const char *key, struct top *top)
{
        const char *argv[] = {"XREVRANGE", key, "+", "-", "COUNT", "1"};
        struct redisReply *reply;
        sn_status status = redis_command(c, c->service->redis, 6, argv, NULL, &reply);

        *top = (struct top){.position = INT64_MAX};
        if (status == SN_OK) {
                parse_top(reply, top);
        }
        return status == SN_INTERNAL ? SN_OK : status; /* no stream at all under the key */
}

static sn_status clear_stream(struct rpc_call *c, const char *key)
{
        const char *argv[] = {"DEL", key};
        struct redisReply *reply;

        log_event(LOG_LEVEL_WARN, "the stream in Redis holds events of another log: deleting it",
                  LOG_STR("sonet.stream", key));
        return redis_command(c, c->service->redis, 2, argv, NULL, &reply);
}

DB_STATEMENT(RENAME_LOG, "*", NULL,
             "update outbox_head set log_id = gen_random_uuid(), log_start = position returning log_id");

/* Our own stream is ahead of the positions that we assigned: the database was restored from a backup. The log is
 * renamed, so that readers do not take the stream's old entries for new ones. */
static sn_status rename_log(struct rpc_call *c, const char **log_id)
{
        struct db_rows *rows;

        log_event(LOG_LEVEL_WARN, "the stream is ahead of the log, which was restored from a backup: renaming the log",
                  LOG_STR("sonet.service", c->service->name));
        TRY(DB_WRITE(c, tx, db_rows(tx, &RENAME_LOG, DB_NO_BINDS, &rows)));
        if (db_rows_count(rows) == 1) {
                *log_id = db_text(rows, 0, "log_id");
        }
        return SN_OK;
}

/* newest: the last position that the stream may hold. *cleared is false if there was no conflict. */
static sn_status clear_conflicting_stream(struct rpc_call *c, const char *key, int64_t newest, const char **log_id,
                                          bool *cleared)
{
        struct top top;

        *cleared = false;
        TRY(read_top(c, key, &top));
        bool ours = top.position == 0 || str_equal_c(top.log_id, *log_id);

        if (ours && top.position <= newest) {
                return SN_OK;
        }
        if (ours) {
                TRY(rename_log(c, log_id));
        }
        *cleared = true;
        return clear_stream(c, key);
}

sn_status bus_stream_write(struct rpc_call *c, const struct relay_batch *batch, bool *refused)
{
        return send_batch(c, bus_stream_key(c->arena, c->service->name), batch, refused);
}

sn_status bus_stream_replace(struct rpc_call *c, struct relay_batch *batch)
{
        char *key = bus_stream_key(c->arena, c->service->name);
        bool refused, cleared;

        /* the batch may already be there, if the reply to an earlier attempt was lost: then the stream ends with it */
        TRY(clear_conflicting_stream(c, key, batch->events[batch->n - 1]->position, &batch->log_id, &cleared));
        return cleared ? send_batch(c, key, batch, &refused) : SN_OK;
}

DB_STATEMENT(SELECT_LOG_END, "*", NULL, "select position, log_id from outbox_head");

sn_status bus_stream_compare(struct rpc_call *c)
{
        char *key = bus_stream_key(c->arena, c->service->name);
        struct db_rows *head;
        bool cleared;

        TRY(DB_READ(c, tx, db_rows(tx, &SELECT_LOG_END, DB_NO_BINDS, &head)));
        if (db_rows_count(head) != 1) {
                return rpc_fail(c, SN_INTERNAL, NULL, "the table outbox_head has no row");
        }
        const char *log_id = db_text(head, 0, "log_id");

        return clear_conflicting_stream(c, key, db_i64(head, 0, "position"), &log_id, &cleared);
}

static sn_status cut_before(struct rpc_call *c, const char *key, int64_t position)
{
        const char *argv[] = {"XTRIM", key, "MINID", arena_printf(c->arena, "%lld", (long long)position)};
        struct redisReply *reply;

        return redis_command(c, c->service->redis, 4, argv, NULL, &reply);
}

/* The stream starts over with its last entry's ID and log. If this is interrupted, there is no stream. */
static sn_status cut_to_end(struct rpc_call *c, const char *key, const struct top *top)
{
        struct redis_pipeline *p = redis_pipeline_new(c, c->service->redis);
        const char *id = arena_printf(c->arena, "%lld-0", (long long)top->position);
        const char *add[] = {"XADD", key, id, "l", str_dup(c->arena, top->log_id)};
        struct redisReply **replies;
        size_t n;

        redis_pipeline_add(p, 2, (const char *[]){"DEL", key}, NULL);
        redis_pipeline_add(p, 5, add, NULL);
        return redis_pipeline_run(p, &n, &replies);
}

sn_status bus_stream_trim(struct rpc_call *c, int64_t *newest)
{
        char *key = bus_stream_key(c->arena, c->service->name);
        int64_t old = *newest;
        struct top top;

        TRY(read_top(c, key, &top));
        *newest = top.position;
        if (old == 0 || top.position < old || top.position == INT64_MAX || !top.has_event) {
                return SN_OK;
        }
        return top.position > old ? cut_before(c, key, old + 1) : cut_to_end(c, key, &top);
}
