/* The inside of a transaction, shared by the files that open, use and end one. Private to db/. */
#ifndef DB_TX_H
#define DB_TX_H

#include "db/bind.h"
#include "db/connection.h"
#include "db/db.h"
#include "db/pool.h"

struct db_hook {
        void (*run)(void *context);
        void *context;
        bool only_on_commit;
        struct db_hook *next;
};

enum { DB_QUEUED_MAX = 16 };

/* A statement that was sent and has no result yet. */
struct db_queued {
        const char *name;
        struct db_rows *rows; /* receives its rows; NULL: they are dropped */
};

/* A statement of a read that goes out with the next one. */
struct db_later {
        struct db_later *next;
        const struct db_statement *statement;
        struct db_wire wire;
        struct db_rows *rows;
};

/* A call that takes part in a transaction: usually the only one. Each has its own idempotency key and response. */
struct db_share {
        struct rpc_call *c;
        const ProtobufCMessage *answer;          /* stored under the key; may be NULL */
        sn_status status;                        /* other than SN_OK: it takes no part, because of its key */
        bool claimed;                            /* the key is the call's: the answer is stored at commit */
        struct db_rows *locked, *found, *stored; /* about the key */
        const uint8_t *packed;                   /* the answer */
        size_t packed_len;
};

struct db_tx {
        struct rpc_call *c;
        struct db *db;
        struct db_connection *connection; /* NULL once it is returned to the pool or lost */
        bool transaction;                 /* false: db_read */
        sn_status failed;                 /* after the connection was lost: the status of every further use */
        struct db_share *shares;          /* of a transaction: the calls that take part */
        size_t n_shares;
        char xid[24]; /* of the transaction, in decimal; "" until its BEGIN is answered */
        char boot[sizeof(((struct db_connection *)NULL)->boot)];
        char constraint[DB_NAME_SIZE];
        struct db_hook *hooks, **last_hook;
        sn_status (*before_commit)(struct db_tx *tx, void *context); /* NULL: nothing */
        void *before_commit_context;
        struct db_queued queued[DB_QUEUED_MAX + 2]; /* including the one that is waited for, and COMMIT */
        size_t n_queued;
        struct db_later *later; /* of a read; the latest first */
        size_t n_later;
};

/* pipeline.c. BEGIN goes out with the first statement; so does the question for the transaction's ID if there is no
 * fence to wait for and no key to claim, since only COMMIT needs the answer. */
SN_CHECKED sn_status db_pipeline_begin(struct db_tx *tx);
SN_CHECKED sn_status db_pipeline_ask_xid(struct db_tx *tx);
/* False: the connection is lost. */
SN_CHECKED bool db_pipeline_send(struct db_tx *tx, const char *prepared, const char *name, const struct db_wire *wire);
/* Stores the rows of the last sent statement there. */
void db_pipeline_keep(struct db_tx *tx, struct db_rows *rows);
/* exec.c: runs a statement together with the next one; rows gets its rows. */
SN_CHECKED sn_status db_run_later(struct db_tx *tx, const struct db_statement *s, const struct db_bind *binds, size_t n,
                                  struct db_rows *rows);
/* rows.c: the result is theirs from now on. */
void db_rows_set(struct db_rows *rows, PGresult *result);
SN_CHECKED bool db_pipeline_send_commit(struct db_tx *tx);
/* Until when (monotonic) statements are waited for, and COMMIT. */
struct db_pipeline_deadlines {
        int64_t statements_us, commit_us;
};
#define DB_PIPELINE_UNTIL(deadline_us) ((struct db_pipeline_deadlines){(deadline_us), (deadline_us)})
/* Waits for everything that is queued: returns the last result, or the first that is not DB_DONE, with its statement.
 * DB_ERROR, and DB_DONE of COMMIT, are final: if the connection is lost afterwards, it is dropped here (tx->connection
 * is NULL). */
enum db_outcome db_pipeline_finish(struct db_tx *tx, const struct db_pipeline_deadlines *deadlines, PGresult **result,
                                   const char **statement);
/* After DB_LOST: whether the server reported ending the session at a statement before COMMIT, so that COMMIT was not
 * reached. */
bool db_pipeline_is_aborted(const char *statement, const PGresult *result);
/* The same without the result. */
SN_CHECKED sn_status db_pipeline_flush(struct db_tx *tx);

/* Runs a statement on the transaction's connection; *result is the caller's to clear. */
SN_CHECKED sn_status db_run(struct db_tx *tx, const struct db_statement *s, const struct db_bind *binds, size_t n,
                            PGresult **result);
/* Turns an outcome other than DB_DONE into the call's problem; drops the connection if it is no longer usable. */
sn_status db_fail(struct db_tx *tx, const char *statement, enum db_outcome outcome, const PGresult *result);
/* "Nothing happened, run the handler again." */
sn_status db_fail_retry(struct rpc_call *c, const char *detail);
sn_status db_fail_unreachable(struct rpc_call *c);

/* The idempotency key of the call, when its method takes one. */
bool db_key_wanted(const struct rpc_call *c);
int64_t db_key_lock(const struct rpc_call *c);
/* Takes the key's lock and looks it up, with the next statement whose result is needed. */
SN_CHECKED sn_status db_key_ask(struct db_tx *tx, struct db_share *share);
/* Afterwards: SN_OK if the key is new, otherwise as db_replay. */
SN_CHECKED sn_status db_key_claim(struct db_share *share);
/* Stores the answer, with the next statement. */
SN_CHECKED sn_status db_key_store(struct db_tx *tx, struct db_share *share);
/* Afterwards. */
SN_CHECKED sn_status db_key_check_stored(struct db_tx *tx, const struct db_share *share);
/* After a lost COMMIT: whether the key has exactly this answer. */
SN_CHECKED sn_status db_key_has_answer(struct db_tx *tx, const struct db_share *share, bool *has);

/* A COMMIT was sent and the connection was lost: determines its outcome. SN_OK: committed. */
SN_CHECKED sn_status db_resolve_commit(struct db_tx *tx);
/* Whether the call's problem is that this could not be determined. */
bool db_is_outcome_unknown(const struct rpc_call *c);
sn_status db_fail_outcome_unknown(struct rpc_call *c);

/* tx.c: like db_begin and db_commit, for several calls of the same service. c has the transaction's memory and
 * deadline. Those whose shares have another status than SN_OK afterwards take no part. */
SN_CHECKED sn_status db_begin_shared(struct rpc_call *c, struct db_share *shares, size_t n, struct db_tx **tx);
SN_CHECKED sn_status db_commit_shared(struct db_tx **tx);

#endif
