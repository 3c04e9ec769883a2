/* Owns the SQL on passwords and the links that reset them. */
#include "services/user/store_passwords.h"

#include "services/cleanup.h"

DB_STATEMENT(SET_PASSWORD, "user_service", NULL, "update users set password_hash = $2 where id = $1");

sn_status store_set_password(struct db_tx *tx, const char *user_id, const char *hash)
{
        return db_exec(tx, &SET_PASSWORD, DB_BINDS(bind_uuid(user_id), bind_text(hash)), NULL);
}

DB_STATEMENT(REPLACE_HASH, "user_service", NULL,
             "update users set password_hash = $3 where id = $1 and password_hash = $2");

sn_status store_replace_hash(struct db_tx *tx, const char *user_id, const char *old, const char *hash)
{
        return db_exec(tx, &REPLACE_HASH, DB_BINDS(bind_uuid(user_id), bind_text(old), bind_text(hash)), NULL);
}

DB_STATEMENT(ASK_RESET, "user_service", NULL,
             "insert into password_reset_tokens (id, email_key, expires_at) values ($1, $2, now() + interval '1 hour')"
             " on conflict (email_key) where token_hash is null do nothing");

sn_status store_ask_reset(struct db_tx *tx, const char *email_key)
{
        return db_exec(tx, &ASK_RESET, DB_BINDS(bind_uuid(uuid_new_in(db_arena(tx))), bind_text(email_key)), NULL);
}

#define VERIFIED_BY_SOMEBODY(key)                                                                                      \
        "exists (select from users v where v.email_key = " key " and v.email_verified_at is not null)"

DB_STATEMENT(
    SELECT_ASKED, "user_service", &user_rows__asked_reset__message,
    "with asked as (select id, email_key from password_reset_tokens where token_hash is null and email_key is not null"
    " order by id limit $1 for update skip locked)"
    " select a.id, u.id as user_id, u.username, u.email from asked a left join lateral (select id, username, email from"
    " users where email_key = a.email_key and (email_verified_at is not null or not " VERIFIED_BY_SOMEBODY(
        "a.email_key") ") order by id limit 5) u on true");

sn_status store_asked_resets(struct db_tx *tx, size_t limit, size_t *n, UserRows__AskedReset ***resets)
{
        return db_list(tx, &SELECT_ASKED, DB_BINDS(bind_i64((int64_t)limit)), n, resets);
}

DB_STATEMENT(DROP_RESET, "user_service", NULL, "delete from password_reset_tokens where id = $1");

sn_status store_drop_reset(struct db_tx *tx, const char *id)
{
        return db_exec(tx, &DROP_RESET, DB_BINDS(bind_uuid(id)), NULL);
}

DB_STATEMENT(INSERT_RESET, "user_service", NULL,
             "insert into password_reset_tokens (id, user_id, token_hash, expires_at)"
             " values ($1, $2, $3, now() + make_interval(secs => $4::bigint))");

sn_status store_insert_reset(struct db_tx *tx, const char *user_id, const uint8_t hash[MAILED_HASH_BYTES],
                             int64_t life_s)
{
        TRY(store_drop_resets(tx, user_id));
        return db_exec(tx, &INSERT_RESET,
                       DB_BINDS(bind_uuid(uuid_new_in(db_arena(tx))), bind_uuid(user_id),
                                bind_bytes(hash, MAILED_HASH_BYTES), bind_i64(life_s)),
                       NULL);
}

DB_STATEMENT(
    SELECT_RESET, "user_service", &user_rows__asked_reset__message,
    "select t.id, u.id as user_id, u.username, u.email from password_reset_tokens t join users u on u.id = t.user_id"
    " where t.token_hash = $1 and t.expires_at > now()");

sn_status store_reset_of_token(struct db_tx *tx, const uint8_t hash[MAILED_HASH_BYTES], UserRows__AskedReset *out,
                               bool *found)
{
        return db_one(tx, &SELECT_RESET, DB_BINDS(bind_bytes(hash, MAILED_HASH_BYTES)), &out->base, found);
}

DB_STATEMENT(
    USE_RESET, "user_service", NULL,
    "with used as (delete from password_reset_tokens where token_hash = $1 and user_id = $2 and expires_at > now()"
    " returning user_id)"
    " update users u set email_verified_at = coalesce(email_verified_at, now()) from used where u.id = used.user_id");

sn_status store_use_reset(struct db_tx *tx, const uint8_t hash[MAILED_HASH_BYTES], const char *user_id, bool *used)
{
        int64_t affected = 0;
        sn_status status =
            db_exec(tx, &USE_RESET, DB_BINDS(bind_bytes(hash, MAILED_HASH_BYTES), bind_uuid(user_id)), &affected);

        *used = affected > 0;
        return status == SN_ALREADY_EXISTS ? SN_OK : status; /* another account has verified the address */
}

DB_STATEMENT(DROP_RESETS, "user_service", NULL, "delete from password_reset_tokens where user_id = $1");

sn_status store_drop_resets(struct db_tx *tx, const char *user_id)
{
        return db_exec(tx, &DROP_RESETS, DB_BINDS(bind_uuid(user_id)), NULL);
}

DB_STATEMENT(
    CLEANUP_RESETS, "user_service", NULL,
    "with old as (select id from password_reset_tokens where expires_at < now()"
    " limit $1 for update skip locked), gone as (delete from password_reset_tokens t using old where t.id = old.id"
    " returning 1) select count(*) as most from gone");

sn_status store_cleanup_resets(struct rpc_call *c, bool *more)
{
        return cleanup_portion(c, &CLEANUP_RESETS, more);
}
