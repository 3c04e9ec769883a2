/* Owns how a statement runs on a transaction's connection, and what its failures mean to the caller. */
#include <stdio.h>
#include <string.h>
#include "base/log.h"
#include "db/bind.h"
#include "db/tx.h"

sn_status db_fail_retry(struct rpc_call *c, const char *detail)
{
        sn_status status = rpc_fail(c, SN_ABORTED, NULL, "%s", detail);

        c->retry = true;
        return status;
}

sn_status db_fail_unreachable(struct rpc_call *c)
{
        sn_status status =
            rpc_fail(c, SN_UNAVAILABLE, NULL, "the database is unreachable; please try again in a moment");

        c->problem.retry_after_s = 1;
        return status;
}

/* The messages of these classes are about our SQL, not about members' data. */
static bool message_is_safe(const char *state)
{
        return strncmp(state, "42", 2) == 0 || strncmp(state, "0A", 2) == 0 || strncmp(state, "XX", 2) == 0 ||
               strncmp(state, "53", 2) == 0;
}

static void log_failure(enum log_level level, const struct db_tx *tx, const char *statement, const PGresult *result,
                        const char *what)
{
        const char *state = db_pg_sqlstate(result);
        const char *message = message_is_safe(state) ? PQresultErrorField(result, PG_DIAG_MESSAGE_PRIMARY) : NULL;

        log_event(level, what, LOG_STR("sonet.database", db_name(tx->db)), LOG_STR("sonet.statement", statement),
                  LOG_STR("sonet.sqlstate", state), LOG_STR("error.message", message != NULL ? message : ""),
                  LOG_STR("trace.id", tx->c->trace_id != NULL ? tx->c->trace_id : ""));
}

static void give_up(struct db_tx *tx, bool cancel, sn_status status)
{
        if (tx->connection != NULL) {
                db_give_up(tx->connection, cancel);
                tx->connection = NULL;
        }
        tx->failed = status;
}

static sn_status fail_lost(struct db_tx *tx, const char *statement, const PGresult *result)
{
        log_failure(LOG_LEVEL_WARN, tx, statement, result, "a database connection was lost");
        db_drop_idle(tx->db); /* they probably are, too: not one attempt for each */
        /* no COMMIT was sent, so nothing happened */
        sn_status status = tx->transaction
                               ? db_fail_retry(tx->c, "the database connection was lost before the change was made")
                               : db_fail_unreachable(tx->c);

        give_up(tx, false, status);
        return status;
}

static sn_status fail_expired(struct db_tx *tx, const char *statement)
{
        log_failure(LOG_LEVEL_WARN, tx, statement, NULL, "the deadline passed while waiting for the database");
        give_up(tx, true, SN_DEADLINE_EXCEEDED);
        return rpc_fail(tx->c, SN_DEADLINE_EXCEEDED, NULL, "the request took too long; please try again");
}

/* A prepared statement that the server no longer has, or whose columns a migration changed: a fresh connection helps.
 */
static bool is_stale(const char *state)
{
        return strcmp(state, "26000") == 0 || strcmp(state, "0A000") == 0;
}

static sn_status fail_refused(struct db_tx *tx, const char *statement, const PGresult *result)
{
        const char *state = db_pg_sqlstate(result);
        const char *constraint = PQresultErrorField(result, PG_DIAG_CONSTRAINT_NAME);

        (void)snprintf(tx->constraint, sizeof(tx->constraint), "%s", constraint != NULL ? constraint : "");
        if (strcmp(state, "23505") == 0) {
                return rpc_fail(tx->c, SN_ALREADY_EXISTS, NULL, "this already exists");
        }
        if (strcmp(state, "40001") == 0 || strcmp(state, "40P01") == 0) {
                return db_fail_retry(tx->c, "someone else changed this at the same time; please try again");
        }
        if (strcmp(state, "57014") == 0 || strcmp(state, "55P03") == 0) {
                log_failure(LOG_LEVEL_WARN, tx, statement, result, "a statement took too long");
                return rpc_fail(tx->c, SN_DEADLINE_EXCEEDED, NULL, "the request took too long; please try again");
        }
        if (strcmp(state, "22021") == 0 || strcmp(state, "22P05") == 0) {
                return rpc_fail(tx->c, SN_INVALID_ARGUMENT, NULL, "the text contains characters that cannot be stored");
        }
        if (is_stale(state)) {
                log_failure(LOG_LEVEL_WARN, tx, statement, result, "a prepared statement is stale");
                sn_status status = db_fail_retry(tx->c, "the schema has just changed; please try again");

                give_up(tx, false, status);
                return status;
        }
        log_failure(LOG_LEVEL_ERROR, tx, statement, result, "a statement failed");
        if (strncmp(state, "53", 2) == 0 || strncmp(state, "58", 2) == 0) {
                return db_fail_unreachable(tx->c); /* disk full, out of memory, too many connections, I/O error */
        }
        return rpc_fail(tx->c, SN_INTERNAL, NULL, "something went wrong on our side");
}

sn_status db_fail(struct db_tx *tx, const char *statement, enum db_outcome outcome, const PGresult *result)
{
        sn_status status;

        switch (outcome) {
        case DB_EXPIRED:
                return fail_expired(tx, statement);
        case DB_LOST:
                return fail_lost(tx, statement, result);
        default:
                status = fail_refused(tx, statement, result);
                if (tx->connection == NULL) {
                        tx->failed = status;
                }
                return status;
        }
}

static enum db_outcome prepare(struct db_tx *tx, const struct db_statement *s, const struct db_wire *wire,
                               const char **name, PGresult **error)
{
        return db_connection_prepare(tx->connection, s, wire->signature, wire->n, wire->types, tx->c->deadline_us, name,
                                     error);
}

static enum db_outcome execute_once(struct db_tx *tx, const struct db_statement *s, const struct db_wire *wire,
                                    PGresult **result)
{
        const char *name = NULL;
        enum db_outcome outcome = prepare(tx, s, wire, &name, result);

        if (outcome != DB_DONE) {
                return outcome;
        }
        if (!PQsendQueryPrepared(tx->connection->pg, name, wire->n, wire->values, wire->lengths, wire->formats, 1)) {
                return DB_LOST;
        }
        return db_pg_wait(tx->connection->pg, tx->c->deadline_us, result);
}

static enum db_outcome execute(struct db_tx *tx, const struct db_statement *s, const struct db_wire *wire,
                               PGresult **result)
{
        enum db_outcome outcome = execute_once(tx, s, wire, result);

        /* outside a transaction there are only reads: the server may have restarted while the connection lay idle */
        if (outcome == DB_LOST && !tx->transaction && db_reopen(tx->connection, tx->c->deadline_us) == DB_DONE) {
                PQclear(*result);
                *result = NULL;
                outcome = execute_once(tx, s, wire, result);
        }
        return outcome;
}

static sn_status encode(struct db_tx *tx, const struct db_statement *s, const struct db_bind *binds, size_t n,
                        struct db_wire *wire)
{
        size_t bad = 0;

        if (tx->connection == NULL) {
                return tx->failed;
        }
        if (rpc_call_expired(tx->c)) {
                return rpc_fail(tx->c, SN_DEADLINE_EXCEEDED, NULL, "the request took too long; please try again");
        }
        if (!db_encode(db_arena(tx), binds, n, wire, &bad)) {
                log_event(LOG_LEVEL_ERROR, "cannot send a parameter", LOG_STR("sonet.database", db_name(tx->db)),
                          LOG_STR("sonet.statement", s->name), LOG_INT("sonet.parameter", (int64_t)bad));
                return rpc_fail(tx->c, SN_INVALID_ARGUMENT, NULL, "an id or a value is malformed");
        }
        return SN_OK;
}

/* Preparing takes a round trip, once per connection; it completes everything sent before. */
static sn_status send_later(struct db_tx *tx, const struct db_statement *s, const struct db_wire *wire)
{
        CLEANUP(db_pg_clear_p) PGresult *error = NULL;
        const char *name = NULL;

        if (!db_connection_has_prepared(tx->connection, s, wire->signature)) {
                TRY(db_pipeline_flush(tx));
        }
        enum db_outcome outcome = prepare(tx, s, wire, &name, &error);

        if (outcome == DB_DONE && !db_pipeline_send(tx, name, s->name, wire)) {
                outcome = DB_LOST;
        }
        return outcome == DB_DONE ? SN_OK : db_fail(tx, s->name, outcome, error);
}

sn_status db_exec_later(struct db_tx *tx, const struct db_statement *s, const struct db_bind *binds, size_t n)
{
        struct db_wire wire = {0};

        TRY(encode(tx, s, binds, n, &wire));
        if (!tx->transaction) {
                log_event(LOG_LEVEL_ERROR, "a write was attempted outside a transaction",
                          LOG_STR("sonet.statement", s->name));
                return rpc_fail(tx->c, SN_INTERNAL, NULL, "something went wrong on our side");
        }
        if (tx->n_queued == DB_QUEUED_MAX) {
                TRY(db_pipeline_flush(tx));
        }
        return send_later(tx, s, &wire);
}

static sn_status add_later(struct db_tx *tx, const struct db_statement *s, const struct db_wire *wire,
                           struct db_rows *rows)
{
        struct db_later *later = ARENA_NEW(db_arena(tx), struct db_later);

        *later = (struct db_later){.next = tx->later, .statement = s, .wire = *wire, .rows = rows};
        if (tx->n_later == DB_QUEUED_MAX) {
                log_event(LOG_LEVEL_ERROR, "too many statements of a read wait for the next one",
                          LOG_STR("sonet.statement", s->name));
                return rpc_fail(tx->c, SN_INTERNAL, NULL, "something went wrong on our side");
        }
        tx->later = later;
        tx->n_later++;
        return SN_OK;
}

sn_status db_run_later(struct db_tx *tx, const struct db_statement *s, const struct db_bind *binds, size_t n,
                       struct db_rows *rows)
{
        if (!tx->transaction) {
                struct db_wire wire = {0};

                TRY(encode(tx, s, binds, n, &wire));
                return add_later(tx, s, &wire, rows);
        }
        TRY(db_exec_later(tx, s, binds, n));
        db_pipeline_keep(tx, rows);
        return SN_OK;
}

/* Preparing takes a separate round trip, but only the first time. */
static enum db_outcome prepare_all(struct db_tx *tx, const char **failed, PGresult **error)
{
        enum db_outcome outcome = DB_DONE;
        const char *name;

        for (const struct db_later *later = tx->later; later != NULL && outcome == DB_DONE; later = later->next) {
                *failed = later->statement->name;
                outcome = prepare(tx, later->statement, &later->wire, &name, error);
        }
        return outcome;
}

static bool send_prepared(struct db_tx *tx, const struct db_statement *s, const struct db_wire *wire,
                          struct db_rows *rows)
{
        CLEANUP(db_pg_clear_p) PGresult *error = NULL;
        const char *name = NULL;

        if (prepare(tx, s, wire, &name, &error) != DB_DONE || !db_pipeline_send(tx, name, s->name, wire)) {
                return false;
        }
        db_pipeline_keep(tx, rows);
        return true;
}

/* The result is that of the last statement, which the caller waits for. */
static enum db_outcome execute_all_once(struct db_tx *tx, const char **failed, PGresult **result)
{
        enum db_outcome outcome = prepare_all(tx, failed, result);
        bool sent = true;

        if (outcome != DB_DONE) {
                return outcome;
        }
        for (const struct db_later *later = tx->later->next; later != NULL && sent; later = later->next) {
                sent = send_prepared(tx, later->statement, &later->wire, later->rows);
        }
        if (!sent || !send_prepared(tx, tx->later->statement, &tx->later->wire, NULL)) {
                tx->n_queued = 0;
                return DB_LOST;
        }
        return db_pipeline_finish(tx, &DB_PIPELINE_UNTIL(tx->c->deadline_us), result, failed);
}

/* Statements of a read, in one round trip. Like a single one they are retried on another connection. */
static enum db_outcome execute_all(struct db_tx *tx, const char **failed, PGresult **result)
{
        enum db_outcome outcome = execute_all_once(tx, failed, result);

        if (outcome == DB_LOST && db_reopen(tx->connection, tx->c->deadline_us) == DB_DONE) {
                PQclear(*result);
                *result = NULL;
                outcome = execute_all_once(tx, failed, result);
        }
        tx->later = NULL;
        tx->n_later = 0;
        return outcome;
}

sn_status db_run(struct db_tx *tx, const struct db_statement *s, const struct db_bind *binds, size_t n,
                 PGresult **result)
{
        struct db_wire wire = {0};
        const char *failed = s->name;
        enum db_outcome outcome;

        *result = NULL;
        TRY(encode(tx, s, binds, n, &wire));
        if (tx->n_later > 0) {
                TRY(add_later(tx, s, &wire, NULL));
                outcome = execute_all(tx, &failed, result);
        } else if (tx->n_queued > 0) {
                TRY(send_later(tx, s, &wire));
                outcome = db_pipeline_finish(tx, &DB_PIPELINE_UNTIL(tx->c->deadline_us), result, &failed);
        } else {
                outcome = execute(tx, s, &wire, result);
        }
        if (outcome == DB_DONE) {
                return SN_OK;
        }
        sn_status status = db_fail(tx, failed, outcome, *result);

        PQclear(*result);
        *result = NULL;
        return status;
}
