/* One service's database: a bounded pool, transactions, prepared statements, rows into messages.
 *
 * A change:        CLEANUP(db_end) struct db_tx *tx = NULL;
 *                  TRY(db_begin(c, &tx)); … store functions … return db_commit(c, &out->base, &tx);
 * A read:          the same with db_read, and without a commit: leaving the scope releases the connection. A function
 *                  that then calls another service or Redis first calls db_end(&tx).
 * One statement:   TRY(DB_READ(c, tx, store_user(tx, id, out)));    TRY(DB_WRITE(c, tx, store_touch(tx, id))); */
#ifndef DB_DB_H
#define DB_DB_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#include "base/call.h"
#include "db/statement.h"

struct db;
struct db_tx;

struct db_options {
        const char *name;    /* "note_service", in logs and metrics */
        const char *url;     /* libpq URL or key=value string of the app role */
        int max_connections; /* 0 < n; opened on demand, closed after 60 s without use, so an idle pool holds none */
};

/* Opens nothing yet. The semaphore over busy connections is shared by all databases of one server (same host and port):
 * db_set_server_limit bounds it (default 4). */
struct db *db_new(const struct db_options *options);
void db_free(struct db *db);
void db_set_server_limit(int busy_connections);
/* SN_OK if the server answers a query within timeout_ms. */
SN_CHECKED sn_status db_ping(struct db *db, int timeout_ms);
const char *db_name(const struct db *db);
const char *db_url(const struct db *db); /* for a lease on the same database; it may hold a password: never logged */

/* Looks up the call's idempotency key. The dispatcher calls it before the handler reads anything, since what the first
 * request saw may have changed. SN_OK if there is no key, it is new, or the service has no database.
 *   SN_REPLAYED           the key has a response (in c->replayed); the dispatcher returns it
 *   SN_ABORTED            a request with the key is still running (409), not retried
 *   SN_INVALID_ARGUMENT   the key was used with another body (422: code idempotency_key_reused)
 *   SN_UNAVAILABLE        no connection before the deadline */
SN_CHECKED sn_status db_replay(struct rpc_call *c);
/* Opens a transaction (READ COMMITTED) for a handler of c->service, with the call's idempotency key claimed first: of
 * two requests that both found it new one does the work, and the other gets any of the answers above. */
SN_CHECKED sn_status db_begin(struct rpc_call *c, struct db_tx **tx);
/* A connection without a transaction: each statement sees its own snapshot. Never for writes. */
SN_CHECKED sn_status db_read(struct rpc_call *c, struct db_tx **tx);
/* The last step of a handler: build the response before it, since nothing may fail after the commit (debug builds
 * abort). Stores answer (may be NULL) under the idempotency key, commits, runs the hooks of db_on_end, and wakes the
 * relay if there are events. If the connection is lost at COMMIT, the outcome is resolved with pg_xact_status first.
 * On failure *tx is left for the cleanup. */
SN_CHECKED sn_status db_commit(struct rpc_call *c, const ProtobufCMessage *answer, struct db_tx **tx);
/* Releases the connection early: what was not committed is rolled back. Sets *tx to NULL; it may be NULL before. */
void db_end(struct db_tx **tx);
/* The status of one expression over a connection (DB_READ) or in a transaction that commits without an answer
 * (DB_WRITE). `tx` names the transaction in the expression; it ends with the expression. */
#define DB_READ(c, tx, ...)                                                                                            \
        __extension__({                                                                                                \
                CLEANUP(db_end) struct db_tx *tx = NULL;                                                               \
                sn_status db_read_status_ = db_read(c, &tx);                                                           \
                db_read_status_ == SN_OK ? (__VA_ARGS__) : db_read_status_;                                            \
        })
#define DB_WRITE(c, tx, ...)                                                                                           \
        __extension__({                                                                                                \
                CLEANUP(db_end) struct db_tx *tx = NULL;                                                               \
                sn_status db_write_status_ = db_begin(c, &tx);                                                         \
                db_write_status_ = db_write_status_ == SN_OK ? (__VA_ARGS__) : db_write_status_;                       \
                db_write_status_ == SN_OK ? db_commit(c, NULL, &tx) : db_write_status_;                                \
        })

/* Calls hook(context) once, after COMMIT or ROLLBACK and before the call is answered: how owners invalidate caches.
 * context must outlive the transaction (the call's arena does). */
void db_on_end(struct db_tx *tx, void (*hook)(void *context), void *context);
/* The same, only after a successful COMMIT. */
void db_on_commit(struct db_tx *tx, void (*hook)(void *context), void *context);
/* For the last statements of the transaction: run(tx, context) is called by db_commit, and may only send
 * (db_exec_later, db_flush). Each transaction has only one: the last one set. */
void db_before_commit(struct db_tx *tx, sn_status (*run)(struct db_tx *tx, void *context), void *context);
/* The arena of the call that opened it. */
struct arena *db_arena(struct db_tx *tx);
struct rpc_call *db_call(struct db_tx *tx);

/* Transaction-scoped advisory locks. The pair is ordered first, so that two members cannot deadlock. */
SN_CHECKED sn_status db_lock_pair(struct db_tx *tx, const char *a, const char *b);
SN_CHECKED sn_status db_lock_one(struct db_tx *tx, const char *scope, const char *id);

/* Maps the connection's last error: serialization failure and deadlock to SN_ABORTED with c->retry; a unique violation
 * to SN_ALREADY_EXISTS (db_constraint tells which one); connection errors to SN_UNAVAILABLE; a statement timeout to
 * SN_DEADLINE_EXCEEDED; anything else to SN_INTERNAL, logged with its SQLSTATE. After a unique violation in a
 * transaction only a rollback is possible. */
const char *db_constraint(const struct db_tx *tx); /* name of the violated constraint, or "" */

/* Runs a statement. affected may be NULL. */
SN_CHECKED sn_status db_exec(struct db_tx *tx, const struct db_statement *s, const struct db_bind *binds, size_t n,
                             int64_t *affected);
/* Sends a statement whose result is not needed, and does not wait: it goes out with the next statement or with
 * COMMIT, in one round trip, and its failure is theirs. So a handler cannot react to that. */
SN_CHECKED sn_status db_exec_later(struct db_tx *tx, const struct db_statement *s, const struct db_bind *binds,
                                   size_t n);
/* The same for a statement with rows, which can be read afterwards: before that, and if it fails, there are none. In a
 * read it goes out with the next statement, in the same round trip: there must be one. What the binds point to must
 * stay valid until then. */
struct db_rows;
SN_CHECKED sn_status db_rows_later(struct db_tx *tx, const struct db_statement *s, const struct db_bind *binds,
                                   size_t n, struct db_rows **rows);
/* Sends what has not been sent, if anything, and waits for the results. */
SN_CHECKED sn_status db_flush(struct db_tx *tx);
/* Rows as an array of messages of s->row, in the call's arena. items is `Type **`. */
SN_CHECKED sn_status db_list(struct db_tx *tx, const struct db_statement *s, const struct db_bind *binds, size_t n,
                             size_t *n_items, void *items);
/* The first row into an initialised message (of s->row); *found tells whether there was one (if found is NULL, no
 * row is SN_NOT_FOUND). Columns are stored in fields by name; a dotted alias ("counts.likes") in a sub-message,
 * created on demand; NULL leaves a field absent. */
SN_CHECKED sn_status db_one(struct db_tx *tx, const struct db_statement *s, const struct db_bind *binds, size_t n,
                            ProtobufCMessage *out, bool *found);
/* Raw rows, for the few queries whose results are not messages. Valid as long as the arena. */
SN_CHECKED sn_status db_rows(struct db_tx *tx, const struct db_statement *s, const struct db_bind *binds, size_t n,
                             struct db_rows **rows);
size_t db_rows_count(const struct db_rows *rows);
/* Converts them to messages of their statement's row type, as db_list does. */
SN_CHECKED sn_status db_rows_list(struct rpc_call *c, const struct db_rows *rows, size_t *n_items, void *items);
bool db_is_null(const struct db_rows *rows, size_t row, const char *column);
int64_t db_i64(const struct db_rows *rows, size_t row, const char *column); /* int2/4/8, bool; timestamptz as wall ms */
const char *db_text(const struct db_rows *rows, size_t row, const char *column); /* text, uuid; "" when NULL */
const uint8_t *db_bytes(const struct db_rows *rows, size_t row, const char *column, size_t *len);

/* Short forms: DB_BINDS(bind_uuid(a), bind_i64(n)) expands to the array and its count. */
#define DB_BINDS(...)                                                                                                  \
        (const struct db_bind[]){__VA_ARGS__}, sizeof((const struct db_bind[]){__VA_ARGS__}) / sizeof(struct db_bind)
#define DB_NO_BINDS NULL, 0

#endif
