/* Owns bus_begin and bus_commit: the position of an event (or its dead letter) in the transaction of its effect. */
#include "bus/lane.h"

DB_STATEMENT(LOCK_POSITION, "*", NULL,
             "select position from consumer_positions where consumer = $1 and source = $2 and lane = $3 for update");

DB_STATEMENT(TAKE_LETTER, "*", NULL, "delete from dead_letters where id = $1");

/* Another process, or this one before a crash, may have done some already: SN_REPLAYED passes through the handler as
 * "done". */
static sn_status drop_done(struct db_tx *tx, struct bus_batch *batch)
{
        struct db_rows *rows;
        int64_t stored = 0;

        TRY(db_rows(
            tx, &LOCK_POSITION,
            DB_BINDS(bind_text(batch->consumer->name), bind_text(batch->consumer->source), bind_i64(batch->lane)),
            &rows));
        stored = db_rows_count(rows) > 0 ? db_i64(rows, 0, "position") : 0;
        while (batch->n > 0 && batch->events[0]->position <= stored) {
                batch->events++;
                batch->n--;
        }
        return batch->n > 0 ? SN_OK : SN_REPLAYED;
}

static sn_status claim_letter(struct db_tx *tx, int64_t letter)
{
        int64_t deleted;

        TRY(db_exec(tx, &TAKE_LETTER, DB_BINDS(bind_i64(letter)), &deleted));
        return deleted == 1 ? SN_OK : SN_REPLAYED;
}

void bus_shorten(struct bus_batch *batch, size_t n)
{
        batch->n = n;
        batch->n_done = n;
}

sn_status bus_begin(struct rpc_call *c, struct bus_batch *batch, struct db_tx **tx)
{
        TRY(db_begin(c, tx));
        return batch->letter != 0 ? claim_letter(*tx, batch->letter) : drop_done(*tx, batch);
}

sn_status bus_commit(struct rpc_call *c, struct bus_batch *batch, struct db_tx **tx)
{
        bool advanced = true;

        if (batch->letter == 0) {
                TRY(bus_position_advance(*tx, batch, batch->events[batch->n - 1]->position, &advanced));
        }
        if (!advanced) { /* neither found a row to lock: the other one's effect counts */
                sn_status status = rpc_fail(c, SN_ABORTED, NULL, "the events have already been handled");

                c->retry = true;
                return status;
        }
        TRY(db_commit(c, NULL, tx));
        batch->stored = true;
        return SN_OK;
}
