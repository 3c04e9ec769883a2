/* Owns ReadOutbox: the log itself, for consumers that cannot or need not wait for the stream. */
#include "bus/bus.h"

#define DEFAULT_LIMIT 500

DB_STATEMENT(SELECT_LOG_HEAD, "*", &sonet__events__read_outbox_response__message,
             "select h.position as head, h.log_id, h.log_start,"
             " coalesce((select min(o.position) from outbox o where o.position is not null), h.position + 1) as oldest"
             " from outbox_head h");

DB_STATEMENT(SELECT_LOG, "*", &sonet__events__event__message,
             "select event_id as id, position, type, aggregate_id, object_id, actor_id, version, trace_id, occurred_at"
             " from outbox where position > $1 order by position limit $2");

static sn_status read_events(struct db_tx *tx, int64_t after, uint32_t asked, Sonet__Events__ReadOutboxResponse *out)
{
        int64_t limit = asked > 0 ? asked : DEFAULT_LIMIT;

        TRY(db_list(tx, &SELECT_LOG, DB_BINDS(bind_i64(after), bind_i64(limit)), &out->n_events, &out->events));
        for (size_t i = 0; i < out->n_events; i++) {
                out->events[i]->source = (char *)db_call(tx)->service->name;
                out->events[i]->schema_version = 1;
        }
        /* some may have been assigned since the head was read */
        if (out->n_events > 0 && out->events[out->n_events - 1]->position > out->head) {
                out->head = out->events[out->n_events - 1]->position;
        }
        return SN_OK;
}

DB_STATEMENT(SELECT_LOG_BEFORE, "*", NULL,
             "select position from outbox where position is not null"
             " and coalesce(assigned_at, occurred_at) < clock_timestamp() - make_interval(secs => $1::bigint)"
             " order by position desc limit 1");

/* Positions are assigned in order of time: finds the newest one assigned before the last since_s seconds. */
static sn_status find_start(struct db_tx *tx, uint32_t since_s, int64_t *after)
{
        struct db_rows *rows;

        TRY(db_rows(tx, &SELECT_LOG_BEFORE, DB_BINDS(bind_i64(since_s)), &rows));
        *after = db_rows_count(rows) > 0 ? db_i64(rows, 0, "position") : 0;
        return SN_OK;
}

sn_status bus_read_outbox(struct rpc_call *c, const Sonet__Events__ReadOutboxRequest *in,
                          Sonet__Events__ReadOutboxResponse *out)
{
        CLEANUP(db_end) struct db_tx *tx = NULL;
        int64_t after = in->after;

        if (c->service->relay != NULL && in->since_s == 0 &&
            bus_relay_is_log_end(c->service->relay, after, out, c->arena)) {
                return SN_OK; /* readers are usually up to date */
        }
        TRY(db_read(c, &tx));
        TRY(db_one(tx, &SELECT_LOG_HEAD, DB_NO_BINDS, &out->base, NULL));
        if (after == 0 && in->since_s > 0) {
                TRY(find_start(tx, in->since_s, &after));
        }
        return out->head > after ? read_events(tx, after, in->limit, out) : SN_OK;
}
