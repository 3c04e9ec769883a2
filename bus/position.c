/* Owns consumer_positions: how far each lane has come in its source's log. A stored position never goes back, except
 * when the log was restored. */
#include "bus/lane.h"

#include <stdio.h>

#define CALL_MS 10000

/* The key of a lane's row. */
#define LANE_BINDS(consumer, number) bind_text((consumer)->name), bind_text((consumer)->source), bind_i64(number)

DB_STATEMENT(
    SELECT_POSITION, "*", NULL,
    "select position, cursor, log_id from consumer_positions where consumer = $1 and source = $2 and lane = $3");

sn_status bus_position_load(struct bus_lane *lane)
{
        CLEANUP(rpc_call_free_p) struct rpc_call *c = rpc_call_new_background(lane->service, CALL_MS);
        struct db_rows *rows;

        TRY(DB_READ(c, tx, db_rows(tx, &SELECT_POSITION, DB_BINDS(LANE_BINDS(lane->consumer, lane->number)), &rows)));
        bool found = db_rows_count(rows) > 0;

        lane->position = lane->stored = found ? db_i64(rows, 0, "position") : 0;
        (void)snprintf(lane->cursor, sizeof(lane->cursor), "%s", found ? db_text(rows, 0, "cursor") : "");
        (void)snprintf(lane->log_id, sizeof(lane->log_id), "%s", found ? db_text(rows, 0, "log_id") : "");
        lane->unsaved = false;
        lane->behind = true;
        lane->retry_at_us = 0;
        lane->batch = bus_lane_batch_max(lane);
        lane->failures = lane->slow_ones = lane->waits = 0;
        return SN_OK;
}

DB_STATEMENT(ADVANCE_POSITION, "*", NULL,
             "insert into consumer_positions as p (consumer, source, lane, position) values ($1, $2, $3, $4)"
             " on conflict (consumer, source, lane) do update set position = excluded.position, cursor = ''"
             " where p.position < excluded.position");

sn_status bus_position_advance(struct db_tx *tx, const struct bus_batch *batch, int64_t position, bool *advanced)
{
        int64_t affected;

        TRY(db_exec(tx, &ADVANCE_POSITION, DB_BINDS(LANE_BINDS(batch->consumer, batch->lane), bind_i64(position)),
                    &affected));
        *advanced = affected == 1;
        return SN_OK;
}

DB_STATEMENT(
    STORE_POSITION, "*", NULL,
    "insert into consumer_positions as p (consumer, source, lane, position, cursor) values ($1, $2, $3, $4, $5)"
    " on conflict (consumer, source, lane) do update set position = excluded.position, cursor = excluded.cursor"
    " where p.position <= excluded.position");

sn_status bus_position_store(struct bus_lane *lane)
{
        CLEANUP(rpc_call_free_p) struct rpc_call *c = rpc_call_new_background(lane->service, CALL_MS);

        TRY(DB_WRITE(c, tx,
                     db_exec(tx, &STORE_POSITION,
                             DB_BINDS(LANE_BINDS(lane->consumer, lane->number), bind_i64(lane->position),
                                      bind_text(lane->cursor)),
                             NULL)));
        lane->stored = lane->position;
        lane->unsaved = false;
        return SN_OK;
}

DB_STATEMENT(
    RESET_POSITION, "*", NULL,
    "insert into consumer_positions as p (consumer, source, lane, position, log_id) values ($1, $2, $3, $4, $5)"
    " on conflict (consumer, source, lane) do update set log_id = excluded.log_id, position = excluded.position,"
    " cursor = case when p.position = excluded.position then p.cursor else '' end");

sn_status bus_position_reset(struct bus_lane *lane, const char *log_id, int64_t position)
{
        CLEANUP(rpc_call_free_p) struct rpc_call *c = rpc_call_new_background(lane->service, CALL_MS);

        TRY(DB_WRITE(c, tx,
                     db_exec(tx, &RESET_POSITION,
                             DB_BINDS(LANE_BINDS(lane->consumer, lane->number), bind_i64(position), bind_uuid(log_id)),
                             NULL)));
        if (position != lane->position) {
                lane->cursor[0] = '\0';
        }
        lane->position = lane->stored = position;
        (void)snprintf(lane->log_id, sizeof(lane->log_id), "%s", log_id);
        return SN_OK;
}
