/* Owns finding out what became of a COMMIT during which the connection was lost. The server is queried over a new
 * connection as soon as it is back. */
#include <inttypes.h>
#include <stdio.h>
#include <string.h>
#include "base/clock.h"
#include "base/log.h"
#include "db/ownership.h"
#include "db/tx.h"

#define RESOLVE_US 5000000
#define ASK_MS     20

enum fate { FATE_COMMITTED, FATE_ABORTED, FATE_OPEN, FATE_UNKNOWN };

/* An ID "in the future" is refused with 22023: the server crashed before any of the transaction reached the disk. After
 * a crash such an ID is assigned again, so "committed" may then refer to another transaction: only "aborted" is
 * certain. */
static enum fate ask_fate(struct db_tx *tx, int64_t deadline_us)
{
        CLEANUP(db_pg_clear_p) PGresult *result = NULL;
        char sql[96], boot[sizeof(tx->boot)];

        (void)snprintf(sql, sizeof(sql), "select coalesce(pg_xact_status('%s'), 'too old')", tx->xid);
        enum db_outcome outcome = db_pg_query(tx->connection->pg, sql, deadline_us, &result);

        if (outcome == DB_ERROR) {
                return strcmp(db_pg_sqlstate(result), "22023") == 0 ? FATE_ABORTED : FATE_UNKNOWN;
        }
        if (outcome != DB_DONE) {
                return FATE_OPEN;
        }
        const char *status = PQgetvalue(result, 0, 0);

        if (strcmp(status, "in progress") == 0) {
                return FATE_OPEN;
        }
        if (strcmp(status, "aborted") == 0) {
                return FATE_ABORTED;
        }
        if (db_connection_read_boot(tx->connection->pg, deadline_us, boot, sizeof(boot)) != DB_DONE) {
                return FATE_OPEN;
        }
        return strcmp(status, "committed") == 0 && strcmp(boot, tx->boot) == 0 ? FATE_COMMITTED : FATE_UNKNOWN;
}

/* Retries until the server is back and the old session has ended, or time is up. */
static enum fate find_fate(struct db_tx *tx, int64_t deadline_us)
{
        while (clock_monotonic_us() < deadline_us) {
                enum fate fate = FATE_OPEN;

                if (tx->connection == NULL && db_acquire(tx->db, deadline_us, &tx->connection) != DB_DONE) {
                        tx->connection = NULL;
                }
                if (tx->connection != NULL) {
                        fate = ask_fate(tx, deadline_us);
                }
                if (fate != FATE_OPEN) {
                        return fate;
                }
                if (tx->connection != NULL && PQtransactionStatus(tx->connection->pg) != PQTRANS_IDLE) {
                        db_give_up(tx->connection, false);
                        tx->connection = NULL;
                }
                clock_sleep_ms(ASK_MS);
        }
        return FATE_UNKNOWN;
}

static const char *const fate_names[] = {"committed", "aborted", "open", "unknown"};

/* NULL: no call has a key. */
static const struct db_share *find_claimed(const struct db_tx *tx)
{
        for (size_t i = 0; i < tx->n_shares; i++) {
                if (tx->shares[i].claimed) {
                        return &tx->shares[i];
                }
        }
        return NULL;
}

static const char outcome_unknown[] = "outcome_unknown";

sn_status db_fail_outcome_unknown(struct rpc_call *c)
{
        return rpc_fail_code(c, SN_UNAVAILABLE, outcome_unknown, NULL,
                             "the database connection was lost during the commit and its outcome is unknown; "
                             "check before trying again");
}

bool db_is_outcome_unknown(const struct rpc_call *c)
{
        return c->problem.code != NULL && strcmp(c->problem.code, outcome_unknown) == 0;
}

sn_status db_resolve_commit(struct db_tx *tx)
{
        int64_t now_us = clock_monotonic_us();
        int64_t deadline_us = tx->c->deadline_us > now_us + RESOLVE_US ? tx->c->deadline_us : now_us + RESOLVE_US;
        enum fate fate = find_fate(tx, deadline_us);
        const struct db_share *share = find_claimed(tx);

        if (fate == FATE_UNKNOWN && share != NULL && tx->connection != NULL) {
                bool has = false;
                int64_t call_deadline_us = tx->c->deadline_us;

                /* the key's row is part of the transaction, so it shows the outcome if the ID cannot */
                tx->c->deadline_us = deadline_us;
                sn_status status = db_key_has_answer(tx, share, &has);
                tx->c->deadline_us = call_deadline_us;
                if (status == SN_OK) {
                        fate = has ? FATE_COMMITTED : FATE_ABORTED;
                }
        }
        log_event(LOG_LEVEL_WARN, "resolved the outcome of a commit whose connection was lost",
                  LOG_STR("sonet.database", db_name(tx->db)), LOG_STR("sonet.fate", fate_names[fate]));
        switch (fate) {
        case FATE_COMMITTED:
                return SN_OK;
        case FATE_ABORTED:
                if (rpc_call_expired(tx->c)) {
                        tx->failed = SN_DEADLINE_EXCEEDED;
                        return rpc_fail(tx->c, SN_DEADLINE_EXCEEDED, NULL,
                                        "the request took too long; please try again");
                }
                tx->failed = SN_ABORTED;
                return db_fail_retry(tx->c, "the database connection was lost before the change was made");
        default:
                if (db_fence(tx->db)->on) { /* it may still take effect, unknown to the caches in memory */
                        db_ownership_lost(db_fence(tx->db)->service, "the outcome of a COMMIT is unknown");
                }
                tx->failed = SN_UNAVAILABLE;
                return db_fail_outcome_unknown(tx->c);
        }
}
