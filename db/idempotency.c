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

#define KEY_BINDS(c) bind_uuid(key_actor(c)), bind_text((c)->method->full_name), bind_text((c)->idempotency_key)

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
        const uint8_t *answer = db_bytes(rows, 0, "answer", &c->replayed_len);
        uint8_t *copy = arena_alloc(c->arena, c->replayed_len + 1); /* the rows may be another call's */

        memcpy(copy, answer, c->replayed_len);
        c->replayed = copy;
        return SN_REPLAYED;
}

static sn_status fail_busy(struct rpc_call *c)
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
        TRY(DB_READ(c, tx, db_rows(tx, &SELECT_KEY_OR_LOCK, DB_BINDS(KEY_BINDS(c), bind_i64(db_key_lock(c))), &rows)));
        if (db_i64(rows, 0, "answered") != 0) {
                return replay_row(c, rows);
        }
        return db_i64(rows, 0, "idle") != 0 ? SN_OK : fail_busy(c);
}

DB_STATEMENT(LOCK_KEY, "*", NULL, "select pg_try_advisory_xact_lock($1) as locked");

/* Two statements: the snapshot of the second is taken once the first has the lock. */
sn_status db_key_ask(struct db_tx *tx, struct db_share *share)
{
        TRY(db_rows_later(tx, &LOCK_KEY, DB_BINDS(bind_i64(db_key_lock(share->c))), &share->locked));
        return db_rows_later(tx, &SELECT_IDEMPOTENCY_KEY, DB_BINDS(KEY_BINDS(share->c)), &share->found);
}

sn_status db_key_claim(struct db_share *share)
{
        if (db_i64(share->locked, 0, "locked") == 0) {
                return fail_busy(share->c);
        }
        if (db_rows_count(share->found) > 0) {
                return replay_row(share->c, share->found);
        }
        share->claimed = true;
        return SN_OK;
}

/* A key older than a day counts as new: cleanup_old_data() just has not deleted it yet. */
DB_STATEMENT(INSERT_IDEMPOTENCY_KEY, "*", NULL,
             "insert into idempotency_keys (actor_id, method, key, body_hash, answer) values ($1, $2, $3, $4, $5)"
             " on conflict (actor_id, method, key) do update"
             " set body_hash = excluded.body_hash, answer = excluded.answer, created_at = now()"
             " where idempotency_keys.created_at <= now() - interval '24 hours' returning true as stored");

static void pack_answer(struct arena *arena, struct db_share *share)
{
        share->packed_len = share->answer != NULL ? protobuf_c_message_get_packed_size(share->answer) : 0;
        if (share->packed_len > 0) {
                uint8_t *bytes = arena_alloc(arena, share->packed_len);

                (void)protobuf_c_message_pack(share->answer, bytes);
                share->packed = bytes;
        }
}

sn_status db_key_store(struct db_tx *tx, struct db_share *share)
{
        struct rpc_call *c = share->c;

        pack_answer(db_arena(tx), share);
        return db_rows_later(tx, &INSERT_IDEMPOTENCY_KEY,
                             DB_BINDS(KEY_BINDS(c), bind_bytes(c->body_hash, sizeof(c->body_hash)),
                                      bind_bytes(share->packed, share->packed_len)),
                             &share->stored);
}

/* Cannot fail while everyone takes the lock; if it does, the other answer counts. */
sn_status db_key_check_stored(struct db_tx *tx, const struct db_share *share)
{
        return db_rows_count(share->stored) == 1 ? SN_OK
                                                 : db_fail_retry(tx->c, "the same request has just been answered");
}

sn_status db_key_has_answer(struct db_tx *tx, const struct db_share *share, bool *has)
{
        struct db_rows *rows;
        size_t stored_len;

        TRY(db_rows(tx, &SELECT_IDEMPOTENCY_KEY, DB_BINDS(KEY_BINDS(share->c)), &rows));
        *has = false;
        if (db_rows_count(rows) > 0 && same_body(share->c, rows)) {
                const uint8_t *stored = db_bytes(rows, 0, "answer", &stored_len);

                *has = stored_len == share->packed_len &&
                       (stored_len == 0 || memcmp(stored, share->packed, stored_len) == 0);
        }
        return SN_OK;
}
