/* Owns telling which events have not reached a consumer yet, for readers of its effects. */
#include "bus/bus.h"

DB_STATEMENT(SELECT_PENDING_SINCE, "*", NULL,
             "select least((select min(occurred_at) from outbox where position is null),"
             " (select min(occurred_at) from outbox where position > $1)) as since_ms");

sn_status bus_pending_since(struct rpc_call *c, int64_t position, int64_t *since_ms)
{
        struct db_rows *rows;

        TRY(DB_READ(c, tx, db_rows(tx, &SELECT_PENDING_SINCE, DB_BINDS(bind_i64(position)), &rows)));
        *since_ms = db_is_null(rows, 0, "since_ms") ? INT64_MAX : db_i64(rows, 0, "since_ms");
        return SN_OK;
}

DB_STATEMENT(SELECT_TAKEN_POSITION, "*", NULL,
             "select coalesce(min(position), 0) as position from consumer_positions where source = $1");

sn_status bus_taken(struct rpc_call *c, const char *source, int64_t *position)
{
        struct db_rows *rows;

        TRY(DB_READ(c, tx, db_rows(tx, &SELECT_TAKEN_POSITION, DB_BINDS(bind_text(source)), &rows)));
        *position = db_i64(rows, 0, "position");
        return SN_OK;
}
