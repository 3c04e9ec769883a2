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

/* Waits for the fence, then returns the transaction's ID (for a lost COMMIT), whether the session of our lease has
 * ended, and whether the idempotency key is ours. NULL: no lock. A select list is evaluated from left to right. */
DB_STATEMENT(ENTER_WRITE, "*", NULL,
             "select pg_advisory_xact_lock_shared($1), pg_current_xact_id()::text as xid,"
             " coalesce(pg_try_advisory_xact_lock_shared($2), false) as lost,"
             " coalesce(pg_try_advisory_xact_lock($3), false) as locked");
enum { ENTER_XID = 1, ENTER_LOST, ENTER_LOCKED }; /* its columns */

static bool is_true(const PGresult *result, int column)
{
        return *PQgetvalue(result, 0, column) == 1; /* binary */
}

static sn_status enter_write(struct db_tx *tx, bool with_key, bool *locked)
{
        CLEANUP(db_pg_clear_p) PGresult *result = NULL;
        const struct db_fence *fence = db_fence(tx->db);

        TRY(db_run(tx, &ENTER_WRITE,
                   DB_BINDS(fence->on ? bind_i64(fence->writers) : bind_null(),
                            fence->on ? bind_i64(fence->alive) : bind_null(),
                            with_key ? bind_i64(db_key_lock(tx->c)) : bind_null()),
                   &result));
        if (is_true(result, ENTER_LOST)) {
                db_ownership_lost(fence->service, "the lease's session had ended when a write began");
        }
        (void)snprintf(tx->xid, sizeof(tx->xid), "%s", PQgetvalue(result, 0, ENTER_XID));
        *locked = is_true(result, ENTER_LOCKED);
        return SN_OK;
}

sn_status db_begin(struct rpc_call *c, struct db_tx **tx)
{
        bool with_key = db_key_wanted(c), locked = false;

        TRY(open_tx(c, true, tx));
        TRY(db_pipeline_begin(*tx));
        if (!with_key && !db_fence((*tx)->db)->on) {
                return db_pipeline_ask_xid(*tx);
        }
        TRY(enter_write(*tx, with_key, &locked));
        if (!with_key) {
                return SN_OK;
        }
        return locked ? db_key_claim(*tx) : db_key_busy(c);
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

static const uint8_t *pack_answer(struct arena *arena, const ProtobufCMessage *answer, size_t *len)
{
        *len = answer != NULL ? protobuf_c_message_get_packed_size(answer) : 0;
        if (*len == 0) {
                return NULL;
        }
        uint8_t *bytes = arena_alloc(arena, *len);

        (void)protobuf_c_message_pack(answer, bytes);
        return bytes;
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

static sn_status commit_transaction(struct db_tx *tx, const uint8_t *answer, size_t len)
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
                return db_resolve_commit(tx, answer, len);
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

sn_status db_commit(struct rpc_call *c, const ProtobufCMessage *answer, struct db_tx **tx)
{
        struct db_tx *t = *tx;
        size_t len = 0;
        const uint8_t *packed = NULL;

        if (t->connection == NULL) {
                return t->failed;
        }
        if (!t->transaction) {
                log_event(LOG_LEVEL_ERROR, "a read was committed", LOG_STR("sonet.database", db_name(t->db)));
                return rpc_fail(c, SN_INTERNAL, NULL, "something went wrong on our side");
        }
        if (t->claimed) {
                packed = pack_answer(c->arena, answer, &len);
                TRY(db_key_store(t, packed, len));
        }
        if (rpc_call_expired(c)) {
                return rpc_fail(c, SN_DEADLINE_EXCEEDED, NULL, "the request took too long; please try again");
        }
        if (c->method != NULL && arena_exhausted(c->arena)) { /* the dispatcher could only say so too late */
                return rpc_fail_code(c, SN_RESOURCE_EXHAUSTED, "too_large", NULL, "the request is too large");
        }
        TRY(t->xid[0] == '\0' ? db_pipeline_flush(t) : SN_OK); /* a COMMIT could get lost */
        TRY(t->before_commit != NULL ? t->before_commit(t, t->before_commit_context) : SN_OK);
        TRY(commit_transaction(t, packed, len));
        c->committed = true;
        end_transaction(tx, true);
        return SN_OK;
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
