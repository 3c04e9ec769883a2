/* Owns the idempotency keys of a service: a response is stored in the transaction of its effect, so that both exist
 * or neither. Requests with the same key are serialised by a lock that the first one holds until it ends. */
#include <stdint.h>
#include <string.h>
#include "base/contract.h"
#include "base/service.h"
#include "db/tx.h"

#define NOBODY "00000000-0000-0000-0000-000000000000"

static const char *key_actor(const struct rpc_call *c)
{
        return c->actor != NULL && *c->actor ? c->actor : NOBODY;
}

bool db_key_wanted(const struct rpc_call *c)
{
        return c->method != NULL && c->method->idempotency == RPC_IDEMPOTENCY_KEY && c->idempotency_key != NULL &&
               *c->idempotency_key;
}

int64_t db_key_lock(const struct rpc_call *c)
{
        return db_lock_number("idempotency", key_actor(c), c->method->full_name, c->idempotency_key);
}

DB_STATEMENT(SELECT_IDEMPOTENCY_KEY, "*", NULL,
             "select body_hash, answer from idempotency_keys"
             " where actor_id = $1 and method = $2 and key = $3 and created_at > now() - interval '24 hours'");

static sn_status select_key(struct db_tx *tx, struct db_rows **rows)
{
        const struct rpc_call *c = tx->c;

        return db_rows(
            tx, &SELECT_IDEMPOTENCY_KEY,
            DB_BINDS(bind_uuid(key_actor(c)), bind_text(c->method->full_name), bind_text(c->idempotency_key)), rows);
}

static bool same_body(const struct rpc_call *c, const struct db_rows *rows)
{
        size_t len;
        const uint8_t *hash = db_bytes(rows, 0, "body_hash", &len);

        return len == sizeof(c->body_hash) && memcmp(hash, c->body_hash, len) == 0;
}

static sn_status replay_row(struct rpc_call *c, const struct db_rows *rows)
{
        if (!same_body(c, rows)) {
                return rpc_fail_code(
                    c, SN_INVALID_ARGUMENT, "idempotency_key_reused", NULL,
                    "this Idempotency-Key was already used with a different request; use a new key for each request");
        }
        c->replayed = db_bytes(rows, 0, "answer", &c->replayed_len);
        return SN_REPLAYED;
}

sn_status db_key_busy(struct rpc_call *c)
{
        sn_status status =
            rpc_fail_code(c, SN_ABORTED, "idempotency_key_busy", NULL,
                          "a request with this Idempotency-Key is still running; please try again in a moment");

        c->retry = false;
        c->problem.retry_after_s = 1;
        return status;
}

/* A request with the key holds its lock until the answer is committed. Shared here, so that two lookups do not exclude
 * each other. */
DB_STATEMENT(SELECT_KEY_OR_LOCK, "*", NULL,
             "select pg_try_advisory_xact_lock_shared($4) as idle, k.body_hash is not null as answered, k.body_hash,"
             " k.answer from (values (1)) as one left join idempotency_keys k"
             " on actor_id = $1 and method = $2 and key = $3 and created_at > now() - interval '24 hours'");

sn_status db_replay(struct rpc_call *c)
{
        struct db_rows *rows;

        if (!db_key_wanted(c) || c->service->db == NULL) {
                return SN_OK;
        }
        TRY(DB_READ(c, tx,
                    db_rows(tx, &SELECT_KEY_OR_LOCK,
                            DB_BINDS(bind_uuid(key_actor(c)), bind_text(c->method->full_name),
                                     bind_text(c->idempotency_key), bind_i64(db_key_lock(c))),
                            &rows)));
        if (db_i64(rows, 0, "answered") != 0) {
                return replay_row(c, rows);
        }
        return db_i64(rows, 0, "idle") != 0 ? SN_OK : db_key_busy(c);
}

sn_status db_key_claim(struct db_tx *tx)
{
        struct db_rows *rows;

        TRY(select_key(tx, &rows));
        if (db_rows_count(rows) > 0) {
                return replay_row(tx->c, rows);
        }
        tx->claimed = true;
        return SN_OK;
}

/* A key older than a day counts as new: cleanup_old_data() just has not deleted it yet. */
DB_STATEMENT(INSERT_IDEMPOTENCY_KEY, "*", NULL,
             "insert into idempotency_keys (actor_id, method, key, body_hash, answer) values ($1, $2, $3, $4, $5)"
             " on conflict (actor_id, method, key) do update"
             " set body_hash = excluded.body_hash, answer = excluded.answer, created_at = now()"
             " where idempotency_keys.created_at <= now() - interval '24 hours'");

sn_status db_key_store(struct db_tx *tx, const uint8_t *answer, size_t len)
{
        struct rpc_call *c = tx->c;
        int64_t stored;

        TRY(db_exec(tx, &INSERT_IDEMPOTENCY_KEY,
                    DB_BINDS(bind_uuid(key_actor(c)), bind_text(c->method->full_name), bind_text(c->idempotency_key),
                             bind_bytes(c->body_hash, sizeof(c->body_hash)), bind_bytes(answer, len)),
                    &stored));
        /* cannot happen while everyone takes the lock; if it does, the other answer counts */
        return stored == 1 ? SN_OK : db_fail_retry(c, "the same request has just been answered");
}

sn_status db_key_has_answer(struct db_tx *tx, const uint8_t *answer, size_t len, bool *has)
{
        struct db_rows *rows;
        size_t stored_len;

        TRY(select_key(tx, &rows));
        *has = false;
        if (db_rows_count(rows) > 0 && same_body(tx->c, rows)) {
                const uint8_t *stored = db_bytes(rows, 0, "answer", &stored_len);

                *has = stored_len == len && (len == 0 || memcmp(stored, answer, len) == 0);
        }
        return SN_OK;
}
