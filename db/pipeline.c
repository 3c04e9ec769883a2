/* Owns statements that are sent and not waited for: they go out with the next one whose answer is needed, or with
 * COMMIT, in one round trip (libpq's pipeline mode). When one fails, the server passes over those behind it, COMMIT as
 * well. */
#include <string.h>
#include "base/clock.h"
#include "db/tx.h"

static bool add_name(struct db_tx *tx, const char *name)
{
        tx->queued[tx->n_queued++] = name;
        return true;
}

bool db_pipeline_send(struct db_tx *tx, const char *prepared, const char *name, const struct db_wire *wire)
{
        PGconn *pg = tx->connection->pg;

        return (tx->n_queued > 0 || PQenterPipelineMode(pg) == 1) &&
               PQsendQueryPrepared(pg, prepared, wire->n, wire->values, wire->lengths, wire->formats, 1) == 1 &&
               add_name(tx, name);
}

bool db_pipeline_send_commit(struct db_tx *tx)
{
        return PQsendQueryParams(tx->connection->pg, "commit", 0, NULL, NULL, NULL, NULL, 0) == 1 &&
               add_name(tx, "commit");
}

/* The answers of all that is queued, as far as the connection gives them. */
static enum db_outcome read_answers(struct db_tx *tx, size_t n, int64_t deadline_us, PGresult **result,
                                    const char **statement)
{
        enum db_outcome outcome = DB_DONE;

        for (size_t i = 0; i < n; i++) {
                PGresult *answer = NULL;
                enum db_outcome one = db_pg_wait(tx->connection->pg, deadline_us, &answer);

                if (outcome == DB_ERROR && one != DB_LOST && one != DB_EXPIRED) {
                        PQclear(answer); /* it was passed over */
                        continue;
                }
                PQclear(*result);
                *result = answer;
                *statement = tx->queued[i];
                outcome = one;
                if (one == DB_LOST || one == DB_EXPIRED) {
                        return one;
                }
        }
        return outcome;
}

enum db_outcome db_pipeline_finish(struct db_tx *tx, int64_t deadline_us, PGresult **result, const char **statement)
{
        size_t n = tx->n_queued;

        *result = NULL;
        *statement = tx->queued[0];
        tx->n_queued = 0;
        if (PQpipelineSync(tx->connection->pg) != 1) {
                return DB_LOST;
        }
        enum db_outcome outcome = read_answers(tx, n, deadline_us, result, statement);

        if (outcome == DB_LOST || outcome == DB_EXPIRED) {
                return outcome;
        }
        enum db_outcome end = db_pg_wait_sync(tx->connection->pg, deadline_us);

        return end != DB_DONE ? end : outcome;
}

sn_status db_pipeline_flush(struct db_tx *tx)
{
        CLEANUP(db_pg_clear_p) PGresult *result = NULL;
        const char *statement;

        if (tx->n_queued == 0) {
                return SN_OK;
        }
        enum db_outcome outcome = db_pipeline_finish(tx, tx->c->deadline_us, &result, &statement);

        return outcome == DB_DONE ? SN_OK : db_fail(tx, statement, outcome, result);
}
