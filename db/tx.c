/* Owns the lifecycle of a transaction (and of a read): opening it with the call's idempotency key, locks, hooks, its
 * end. resolve.c handles a COMMIT whose response is lost. */
#include "db/tx.h"

#include <stdio.h>
#include <string.h>
#include "base/clock.h"
#include "base/log.h"
#include "base/no_wait.h"
#include "base/service.h"
#include "db/ownership.h"

#define COMMIT_US                                                                                                      \
        5000000 /* how long to wait at least for a COMMIT that was sent: giving up early would tell the caller nothing \
                 */
#define ROLLBACK_US 1000000

static sn_status open_tx(struct rpc_call *c, bool transaction, struct db_tx **tx)
{
        if (c->service == NULL || c->service->db == NULL) {
                log_event(LOG_LEVEL_ERROR, "a service without a database requested one");
                return rpc_fail(c, SN_INTERNAL, NULL, "something went wrong on our side");
        }
        if (no_wait_refuses()) {
                return db_fail_unreachable(c);
        }
        CALL_ASSERT_NO_TRANSACTION(c); /* a thread that holds one connection and waits for another may wait forever */
        struct db_tx *t = ARENA_NEW(c->arena, struct db_tx);

        *t = (struct db_tx){.c = c, .db = c->service->db, .transaction = transaction, .failed = SN_UNAVAILABLE};
        t->last_hook = &t->hooks;
        switch (db_acquire(t->db, c->deadline_us, &t->connection)) {
        case DB_DONE:
                break;
        default:
                return db_fail_unreachable(c);
        }
        c->open_transactions++;
        *tx = t;
        return SN_OK;
}

sn_status db_read(struct rpc_call *c, struct db_tx **tx)
{
        return open_tx(c, false, tx);
}

/* Waits for the fence, then returns the transaction's ID (for a lost COMMIT) and whether the session of our lease has
 * ended. NULL: no lock. A select list is evaluated from left to right. */
DB_STATEMENT(ENTER_WRITE, "*", NULL,
             "select pg_advisory_xact_lock_shared($1), pg_current_xact_id()::text as xid,"
             " coalesce(pg_try_advisory_xact_lock_shared($2), false) as lost");

/* With the keys of all calls, in one round trip. */
static sn_status enter_write(struct db_tx *tx)
{
        const struct db_fence *fence = db_fence(tx->db);
        struct db_rows *entered;

        TRY(db_rows_later(tx, &ENTER_WRITE,
                          DB_BINDS(fence->on ? bind_i64(fence->writers) : bind_null(),
                                   fence->on ? bind_i64(fence->alive) : bind_null()),
                          &entered));
        for (size_t i = 0; i < tx->n_shares; i++) {
                TRY(db_key_wanted(tx->shares[i].c) ? db_key_ask(tx, &tx->shares[i]) : SN_OK);
        }
        TRY(db_pipeline_flush(tx));
        if (db_i64(entered, 0, "lost") != 0) {
                db_ownership_lost(fence->service, "the lease's session had ended when a write began");
        }
        (void)snprintf(tx->xid, sizeof(tx->xid), "%s", db_text(entered, 0, "xid"));
        for (size_t i = 0; i < tx->n_shares; i++) {
                struct db_share *share = &tx->shares[i];

                share->status = db_key_wanted(share->c) ? db_key_claim(share) : SN_OK;
        }
        return SN_OK;
}

static bool any_key_wanted(const struct db_share *shares, size_t n)
{
        for (size_t i = 0; i < n; i++) {
                if (db_key_wanted(shares[i].c)) {
                        return true;
                }
        }
        return false;
}

sn_status db_begin_shared(struct rpc_call *c, struct db_share *shares, size_t n, struct db_tx **tx)
{
        TRY(open_tx(c, true, tx));
        (*tx)->shares = shares;
        (*tx)->n_shares = n;
        TRY(db_pipeline_begin(*tx));
        if (!any_key_wanted(shares, n) && !db_fence((*tx)->db)->on) {
                return db_pipeline_ask_xid(*tx);
        }
        return enter_write(*tx);
}

sn_status db_begin(struct rpc_call *c, struct db_tx **tx)
{
        struct db_share *share = ARENA_NEW(c->arena, struct db_share);

        *share = (struct db_share){.c = c};
        TRY(db_begin_shared(c, share, 1, tx));
        return share->status;
}

static void add_hook(struct db_tx *tx, void (*run)(void *context), void *context, bool only_on_commit)
{
        struct db_hook *hook = ARENA_NEW(db_arena(tx), struct db_hook);

        *hook = (struct db_hook){.run = run, .context = context, .only_on_commit = only_on_commit};
        *tx->last_hook = hook;
        tx->last_hook = &hook->next;
}

void db_on_end(struct db_tx *tx, void (*hook)(void *context), void *context)
{
        add_hook(tx, hook, context, false);
}

void db_on_commit(struct db_tx *tx, void (*hook)(void *context), void *context)
{
        add_hook(tx, hook, context, true);
}

void db_before_commit(struct db_tx *tx, sn_status (*run)(struct db_tx *tx, void *context), void *context)
{
        tx->before_commit = run;
        tx->before_commit_context = context;
}

/* The connection is released first: hooks may do what is forbidden inside. */
static void end_transaction(struct db_tx **tx, bool committed)
{
        struct db_tx *t = *tx;

        *tx = NULL;
        if (t->connection != NULL) {
                db_release(t->connection);
                t->connection = NULL;
        }
        t->c->open_transactions--;
        for (const struct db_hook *hook = t->hooks; hook != NULL; hook = hook->next) {
                if (committed || !hook->only_on_commit) {
                        hook->run(hook->context);
                }
        }
}

static void roll_back(struct db_tx *tx)
{
        CLEANUP(db_pg_clear_p) PGresult *result = NULL;
        int64_t deadline_us = clock_monotonic_us() + ROLLBACK_US;
        const char *failed;
        enum db_outcome outcome = DB_DONE;

        if (tx->n_queued > 0) {
                outcome = db_pipeline_finish(tx, &DB_PIPELINE_UNTIL(deadline_us), &result, &failed);
        }
        if (tx->connection == NULL) {
                return;
        }
        if (outcome == DB_DONE || outcome == DB_ERROR) {
                PQclear(result);
                outcome = db_pg_query(tx->connection->pg, "rollback", deadline_us, &result);
        }
        if (outcome == DB_LOST || outcome == DB_EXPIRED) {
                db_give_up(tx->connection, outcome == DB_EXPIRED);
                tx->connection = NULL;
        }
}

void db_end(struct db_tx **tx)
{
        if (*tx == NULL) {
                return;
        }
        if ((*tx)->connection != NULL && (*tx)->transaction &&
            PQtransactionStatus((*tx)->connection->pg) != PQTRANS_IDLE) {
                roll_back(*tx);
        }
        end_transaction(tx, false);
}

/* True for "ROLLBACK", the server's answer to COMMIT after an error that was overlooked. */
static bool was_rolled_back(PGresult *result)
{
        return strcmp(PQcmdStatus(result), "COMMIT") != 0;
}

/* One round trip, including what was sent before. Only COMMIT itself is waited for longer. */
static enum db_outcome send_commit(struct db_tx *tx, PGresult **result, const char **failed)
{
        int64_t call_us = tx->c->deadline_us, grace_us = clock_monotonic_us() + COMMIT_US;
        struct db_pipeline_deadlines deadlines = {call_us, call_us > grace_us ? call_us : grace_us};

        if (tx->n_queued == 0) {
                return db_pg_query(tx->connection->pg, "commit", deadlines.commit_us, result);
        }
        return db_pipeline_send_commit(tx) ? db_pipeline_finish(tx, &deadlines, result, failed) : DB_LOST;
}

static sn_status commit_transaction(struct db_tx *tx)
{
        CLEANUP(db_pg_clear_p) PGresult *result = NULL;
        const char *failed = "commit";
        enum db_outcome outcome = send_commit(tx, &result, &failed);

        if (outcome == DB_LOST && db_pipeline_is_aborted(failed, result)) {
                return db_fail(tx, failed, outcome, result);
        }
        if (outcome == DB_LOST || outcome == DB_EXPIRED) {
                db_give_up(tx->connection, outcome == DB_EXPIRED);
                tx->connection = NULL;
                return db_resolve_commit(tx);
        }
        if (outcome == DB_ERROR) {
                return db_fail(tx, failed, outcome, result); /* a statement before it, a deferred constraint, … */
        }
        if (was_rolled_back(result)) {
                log_event(LOG_LEVEL_ERROR, "a failed transaction was committed",
                          LOG_STR("sonet.database", db_name(tx->db)));
                return rpc_fail(tx->c, SN_INTERNAL, NULL, "something went wrong on our side");
        }
        return SN_OK;
}

/* In one round trip, if there are any. */
static sn_status store_answers(struct db_tx *tx)
{
        bool any = false;

        for (size_t i = 0; i < tx->n_shares; i++) {
                TRY(tx->shares[i].claimed ? db_key_store(tx, &tx->shares[i]) : SN_OK);
                any = any || tx->shares[i].claimed;
        }
        TRY(any ? db_pipeline_flush(tx) : SN_OK);
        for (size_t i = 0; i < tx->n_shares; i++) {
                TRY(tx->shares[i].claimed ? db_key_check_stored(tx, &tx->shares[i]) : SN_OK);
        }
        return SN_OK;
}

static void note_committed(struct db_tx *tx)
{
        tx->c->committed = true;
        for (size_t i = 0; i < tx->n_shares; i++) {
                tx->shares[i].c->committed = tx->shares[i].c->committed || tx->shares[i].status == SN_OK;
        }
}

sn_status db_commit_shared(struct db_tx **tx)
{
        struct db_tx *t = *tx;
        struct rpc_call *c = t->c;

        if (t->connection == NULL) {
                return t->failed;
        }
        TRY(store_answers(t));
        if (rpc_call_expired(c)) {
                return rpc_fail(c, SN_DEADLINE_EXCEEDED, NULL, "the request took too long; please try again");
        }
        if (c->method != NULL && arena_exhausted(c->arena)) { /* the dispatcher could only say so too late */
                return rpc_fail_code(c, SN_RESOURCE_EXHAUSTED, "too_large", NULL, "the request is too large");
        }
        TRY(t->xid[0] == '\0' ? db_pipeline_flush(t) : SN_OK); /* a COMMIT could get lost */
        TRY(t->before_commit != NULL ? t->before_commit(t, t->before_commit_context) : SN_OK);
        TRY(commit_transaction(t));
        note_committed(t);
        end_transaction(tx, true);
        return SN_OK;
}

sn_status db_commit(struct rpc_call *c, const ProtobufCMessage *answer, struct db_tx **tx)
{
        struct db_tx *t = *tx;

        if (!t->transaction) {
                log_event(LOG_LEVEL_ERROR, "a read was committed", LOG_STR("sonet.database", db_name(t->db)));
                return rpc_fail(c, SN_INTERNAL, NULL, "something went wrong on our side");
        }
        t->shares->answer = answer;
        return db_commit_shared(tx);
}

struct arena *db_arena(struct db_tx *tx)
{
        return tx->c->arena;
}

struct rpc_call *db_call(struct db_tx *tx)
{
        return tx->c;
}

const char *db_constraint(const struct db_tx *tx)
{
        return tx->constraint;
}

DB_STATEMENT(LOCK_NUMBER, "*", NULL, "select pg_advisory_xact_lock($1)");

sn_status db_lock_pair(struct db_tx *tx, const char *a, const char *b)
{
        bool ordered = strcmp(a, b) <= 0;

        return db_exec(tx, &LOCK_NUMBER,
                       DB_BINDS(bind_i64(db_lock_number("pair", ordered ? a : b, ordered ? b : a, NULL))), NULL);
}

sn_status db_lock_one(struct db_tx *tx, const char *scope, const char *id)
{
        return db_exec(tx, &LOCK_NUMBER, DB_BINDS(bind_i64(db_lock_number("one", scope, id, NULL))), NULL);
}
