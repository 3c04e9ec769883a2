/* Owns the SQL for second factors: TOTP, recovery codes, single-use tokens. */
#include "services/user/store_factors.h"

#include "services/cleanup.h"

DB_STATEMENT(SELECT_FACTORS, "user_service", &user_rows__factors__message,
             "select u.id as user_id, t.seed as totp_seed, coalesce(t.used_step, 0) as totp_used_step,"
             " (select count(*) from recovery_codes r where r.user_id = u.id) as recovery_codes,"
             " (select count(*) from passkeys p where p.user_id = u.id) as passkeys"
             " from users u left join two_factor_auth t on t.user_id = u.id and t.confirmed_at is not null"
             " where u.id = $1");

sn_status store_factors(struct db_tx *tx, const char *user_id, UserRows__Factors *out)
{
        return db_one(tx, &SELECT_FACTORS, DB_BINDS(bind_uuid(user_id)), &out->base, NULL);
}

DB_STATEMENT(SELECT_TWO_FACTOR, "user_service", &user_factors__two_factor__message,
             "select t.user_id is not null or exists (select from passkeys p where p.user_id = u.id) as enabled,"
             " (select count(*) from passkeys p where p.user_id = u.id)::integer as passkeys, t.confirmed_at as "
             "totp_confirmed_at,"
             " (select count(*) from recovery_codes r where r.user_id = u.id)::integer as recovery_codes_left"
             " from users u left join two_factor_auth t on t.user_id = u.id and t.confirmed_at is not null"
             " where u.id = $1");

sn_status store_two_factor(struct db_tx *tx, const char *user_id, UserFactors__TwoFactor *out)
{
        return db_one(tx, &SELECT_TWO_FACTOR, DB_BINDS(bind_uuid(user_id)), &out->base, NULL);
}

/* ---- TOTP ---- */

DB_STATEMENT(UPSERT_SEED, "user_service", NULL,
             "insert into two_factor_auth as t (user_id, seed) values ($1, $2)"
             " on conflict (user_id) do update set seed = excluded.seed where t.confirmed_at is null");

sn_status store_begin_totp(struct db_tx *tx, const char *user_id, const uint8_t sealed[TOTP_SEALED_BYTES])
{
        int64_t n = 0;

        TRY(db_exec(tx, &UPSERT_SEED, DB_BINDS(bind_uuid(user_id), bind_bytes(sealed, TOTP_SEALED_BYTES)), &n));
        return n > 0 ? SN_OK
                     : rpc_fail_code(db_call(tx), SN_FAILED_PRECONDITION, "totp_enabled", NULL,
                                     "you already have an authenticator app; remove it first: DELETE /v1/2fa/totp");
}

DB_STATEMENT(SELECT_PENDING_SEED, "user_service", &user_rows__pending_totp__message,
             "select seed from two_factor_auth where user_id = $1 and confirmed_at is null for update");

sn_status store_pending_totp(struct db_tx *tx, const char *user_id, UserRows__PendingTotp *out)
{
        bool found = false;

        TRY(db_one(tx, &SELECT_PENDING_SEED, DB_BINDS(bind_uuid(user_id)), &out->base, &found));
        return found ? SN_OK
                     : rpc_fail_code(db_call(tx), SN_FAILED_PRECONDITION, "totp_not_begun", NULL,
                                     "there is nothing to confirm; start with POST /v1/2fa/totp");
}

DB_STATEMENT(CONFIRM_SEED, "user_service", NULL,
             "update two_factor_auth set confirmed_at = now(), used_step = $2 where user_id = $1");

sn_status store_confirm_totp(struct db_tx *tx, const char *user_id, int64_t step)
{
        return db_exec(tx, &CONFIRM_SEED, DB_BINDS(bind_uuid(user_id), bind_i64(step)), NULL);
}

DB_STATEMENT(DELETE_SEED, "user_service", NULL,
             "delete from two_factor_auth where user_id = $1 and confirmed_at is not null");

sn_status store_delete_totp(struct db_tx *tx, const char *user_id, bool *deleted)
{
        int64_t n = 0;

        TRY(db_exec(tx, &DELETE_SEED, DB_BINDS(bind_uuid(user_id)), &n));
        *deleted = n > 0;
        return SN_OK;
}

DB_STATEMENT(USE_STEP, "user_service", NULL,
             "update two_factor_auth set used_step = $2 where user_id = $1 and used_step < $2");

sn_status store_use_totp(struct db_tx *tx, const char *user_id, int64_t step, bool *used)
{
        int64_t n = 0;

        TRY(db_exec(tx, &USE_STEP, DB_BINDS(bind_uuid(user_id), bind_i64(step)), &n));
        *used = n > 0;
        return SN_OK;
}

/* ---- Recovery codes ---- */

DB_STATEMENT(DELETE_RECOVERY_CODES, "user_service", NULL, "delete from recovery_codes where user_id = $1");
DB_STATEMENT(INSERT_RECOVERY_CODE, "user_service", NULL,
             "insert into recovery_codes (user_id, code_hash) values ($1, $2)");

sn_status store_set_recovery_codes(struct db_tx *tx, const char *user_id, const uint8_t (*hashes)[RECOVERY_HASH_BYTES],
                                   size_t n)
{
        TRY(db_exec(tx, &DELETE_RECOVERY_CODES, DB_BINDS(bind_uuid(user_id)), NULL));
        for (size_t i = 0; i < n; i++) {
                TRY(db_exec(tx, &INSERT_RECOVERY_CODE,
                            DB_BINDS(bind_uuid(user_id), bind_bytes(hashes[i], RECOVERY_HASH_BYTES)), NULL));
        }
        return SN_OK;
}

DB_STATEMENT(USE_RECOVERY_CODE, "user_service", NULL,
             "delete from recovery_codes where user_id = $1 and code_hash = $2");

sn_status store_use_recovery_code(struct db_tx *tx, const char *user_id, const uint8_t hash[RECOVERY_HASH_BYTES],
                                  bool *used)
{
        int64_t n = 0;

        TRY(db_exec(tx, &USE_RECOVERY_CODE, DB_BINDS(bind_uuid(user_id), bind_bytes(hash, RECOVERY_HASH_BYTES)), &n));
        *used = n > 0;
        return SN_OK;
}

DB_STATEMENT(DELETE_FACTORS, "user_service", NULL,
             "with app as (delete from two_factor_auth where user_id = $1),"
             " keys as (delete from passkeys where user_id = $1)"
             " delete from recovery_codes where user_id = $1");

sn_status store_delete_factors(struct db_tx *tx, const char *user_id)
{
        return db_exec(tx, &DELETE_FACTORS, DB_BINDS(bind_uuid(user_id)), NULL);
}

/* ---- Single-use tokens ---- */

DB_STATEMENT(USE_TOKEN, "user_service", NULL,
             "insert into used_tokens (id, expires_at) values ($1, to_timestamp($2::bigint)) on conflict do nothing");

sn_status store_use_token(struct db_tx *tx, const struct short_token *token, bool *fresh)
{
        int64_t n = 0;

        TRY(db_exec(tx, &USE_TOKEN, DB_BINDS(bind_uuid(token->id), bind_i64(token->expires_s)), &n));
        *fresh = n > 0;
        return SN_OK;
}

DB_STATEMENT(CLEANUP_TOKENS, "user_service", NULL, "select cleanup_used_tokens($1::integer) as most");

sn_status store_cleanup_tokens(struct rpc_call *c, bool *more)
{
        return cleanup_portion(c, &CLEANUP_TOKENS, more);
}
