/* Owns bus_begin and bus_commit: the position of an event (or its dead letter) in the transaction of its effect. */
#include "bus/delivery.h"

__thread struct bus_delivery bus_current;

DB_STATEMENT(LOCK_POSITION, "*", NULL, "select position from consumer_positions where source = $1 for update");

DB_STATEMENT(DELETE_LETTER, "*", NULL, "delete from dead_letters where source = $1 and position = $2");

/* A second runner, or this one before a crash, may have done it already: SN_REPLAYED passes through the handler as
 * "done". */
static sn_status check_position(struct db_tx *tx, const bus_event *event)
{
        struct db_rows *rows;

        TRY(db_rows(tx, &LOCK_POSITION, DB_BINDS(bind_text(event->source)), &rows));
        return db_rows_count(rows) > 0 && db_i64(rows, 0, "position") >= event->position ? SN_REPLAYED : SN_OK;
}

static sn_status take_letter(struct db_tx *tx, const bus_event *event)
{
        int64_t deleted;

        TRY(db_exec(tx, &DELETE_LETTER, DB_BINDS(bind_text(event->source), bind_i64(event->position)), &deleted));
        return deleted == 1 ? SN_OK : SN_REPLAYED;
}

sn_status bus_begin(struct rpc_call *c, const bus_event *event, struct db_tx **tx)
{
        TRY(db_begin(c, tx));
        return bus_current.replay ? take_letter(*tx, event) : check_position(*tx, event);
}

sn_status bus_commit(struct rpc_call *c, const bus_event *event, struct db_tx **tx)
{
        bool advanced = true;

        if (!bus_current.replay) {
                TRY(bus_position_advance(*tx, event->source, event->position, &advanced));
        }
        if (!advanced) { /* both found no row to lock: the other one's effect counts */
                sn_status status = rpc_fail(c, SN_ABORTED, NULL, "the event was handled in between");

                c->retry = true;
                return status;
        }
        TRY(db_commit(c, NULL, tx));
        bus_current.stored = true;
        return SN_OK;
}
