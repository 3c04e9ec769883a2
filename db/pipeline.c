/* Owns statements that are sent without waiting for them: they go out with the next one whose result is needed, or with
 * COMMIT, in one round trip (libpq's pipeline mode). When one fails, the server skips those after it, including COMMIT.
 */
#include <stdio.h>
#include <string.h>
#include "base/clock.h"
#include "db/tx.h"

static bool add_name(struct db_tx *tx, const char *name)
{
        tx->queued[tx->n_queued++] = (struct db_queued){.name = name};
        return true;
}

void db_pipeline_keep(struct db_tx *tx, struct db_rows *rows)
{
        tx->queued[tx->n_queued - 1].rows = rows;
}

bool db_pipeline_send(struct db_tx *tx, const char *prepared, const char *name, const struct db_wire *wire)
{
        PGconn *pg = tx->connection->pg;

        return (tx->n_queued > 0 || PQenterPipelineMode(pg) == 1) &&
               PQsendQueryPrepared(pg, prepared, wire->n, wire->values, wire->lengths, wire->formats, 1) == 1 &&
               add_name(tx, name);
}

static const char commit_name[] = "commit";

/* The server holds back results until the end of a pipeline: those of the statements are requested before COMMIT, since
 * otherwise a slow COMMIT would look like a slow statement. */
bool db_pipeline_send_commit(struct db_tx *tx)
{
        return PQsendFlushRequest(tx->connection->pg) == 1 &&
               PQsendQueryParams(tx->connection->pg, "commit", 0, NULL, NULL, NULL, NULL, 0) == 1 &&
               add_name(tx, commit_name);
}

DB_STATEMENT(BEGIN_TRANSACTION, "*", NULL, "begin isolation level read committed");
DB_STATEMENT(SELECT_XID, "*", NULL, "select pg_current_xact_id()::text");

sn_status db_pipeline_begin(struct db_tx *tx)
{
        memcpy(tx->boot, tx->connection->boot, sizeof(tx->boot));
        return db_exec_later(tx, &BEGIN_TRANSACTION, DB_NO_BINDS);
}

sn_status db_pipeline_ask_xid(struct db_tx *tx)
{
        return db_exec_later(tx, &SELECT_XID, DB_NO_BINDS);
}

static void take_answer(struct db_tx *tx, const struct db_queued *queued, PGresult **result)
{
        if (queued->name == SELECT_XID.name) {
                (void)snprintf(tx->xid, sizeof(tx->xid), "%s", PQgetvalue(*result, 0, 0));
        }
        if (queued->rows != NULL) {
                db_rows_set(queued->rows, *result);
                *result = NULL;
        }
}

/* Reads results up to the first that is not DB_DONE. *read: their number, including that one. */
static enum db_outcome read_answers(struct db_tx *tx, size_t n, const struct db_pipeline_deadlines *deadlines,
                                    PGresult **result, const char **statement, size_t *read)
{
        enum db_outcome outcome = DB_DONE;

        for (*read = 0; *read < n && outcome == DB_DONE; ++*read) {
                *statement = tx->queued[*read].name;
                PQclear(*result);
                outcome =
                    db_pg_wait(tx->connection->pg,
                               *statement == commit_name ? deadlines->commit_us : deadlines->statements_us, result);
                if (outcome == DB_DONE) {
                        take_answer(tx, &tx->queued[*read], result);
                }
        }
        return outcome;
}

/* Reads the results after an error, whose statements were skipped, and then the end of the pipeline. */
static enum db_outcome read_rest(struct db_tx *tx, size_t n, int64_t deadline_us)
{
        for (; n > 0; n--) {
                CLEANUP(db_pg_clear_p) PGresult *passed_over = NULL;
                enum db_outcome outcome = db_pg_wait(tx->connection->pg, deadline_us, &passed_over);

                if (outcome == DB_LOST || outcome == DB_EXPIRED) {
                        return outcome;
                }
        }
        return db_pg_wait_sync(tx->connection->pg, deadline_us);
}

enum db_outcome db_pipeline_finish(struct db_tx *tx, const struct db_pipeline_deadlines *deadlines, PGresult **result,
                                   const char **statement)
{
        size_t n = tx->n_queued, read = 0;

        *result = NULL;
        *statement = tx->queued[0].name;
        tx->n_queued = 0;
        if (PQpipelineSync(tx->connection->pg) != 1) {
                return DB_LOST;
        }
        enum db_outcome outcome = read_answers(tx, n, deadlines, result, statement, &read);

        if (outcome == DB_LOST || outcome == DB_EXPIRED) {
                return outcome;
        }
        enum db_outcome end = read_rest(tx, n - read, deadlines->commit_us);

        if (end == DB_DONE) {
                return outcome;
        }
        if (outcome == DB_DONE && *statement != commit_name) {
                return end;
        }
        /* the server has reported how the transaction ended: the connection no longer matters */
        db_give_up(tx->connection, end == DB_EXPIRED);
        tx->connection = NULL;
        return outcome;
}

bool db_pipeline_is_aborted(const char *statement, const PGresult *result)
{
        return strcmp(statement, commit_name) != 0 && *db_pg_sqlstate(result) != '\0';
}

sn_status db_pipeline_flush(struct db_tx *tx)
{
        CLEANUP(db_pg_clear_p) PGresult *result = NULL;
        const char *statement;

        if (tx->n_queued == 0) {
                return SN_OK;
        }
        enum db_outcome outcome = db_pipeline_finish(tx, &DB_PIPELINE_UNTIL(tx->c->deadline_us), &result, &statement);

        return outcome == DB_DONE ? SN_OK : db_fail(tx, statement, outcome, result);
}

sn_status db_flush(struct db_tx *tx)
{
        return tx->connection != NULL ? db_pipeline_flush(tx) : tx->failed;
}
