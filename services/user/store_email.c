/* Owns the SQL on members' addresses and what proves them. */
#include "services/user/store_email.h"

#include "services/cleanup.h"
#include "services/user/user_columns.h"

DB_STATEMENT(SELECT_EMAIL_STATUS, "user_service", &user__email_status__message,
             "select u.email, u.email_verified_at as verified_at,"
             " case when v.email_key <> u.email_key and v.expires_at > now() then v.email end as pending"
             " from users u left join email_verification_tokens v on v.user_id = u.id where u.id = $1");

sn_status store_email_status(struct db_tx *tx, const char *user_id, User__EmailStatus *out)
{
        return db_one(tx, &SELECT_EMAIL_STATUS, DB_BINDS(bind_uuid(user_id)), &out->base, NULL);
}

DB_STATEMENT(SELECT_EMAIL_OWNER, "user_service", NULL,
             "select id from users where email_key = $1 and email_verified_at is not null");

sn_status store_email_owner(struct db_tx *tx, const char *email_key, const char **owner_id)
{
        struct db_rows *rows = NULL;

        TRY(db_rows(tx, &SELECT_EMAIL_OWNER, DB_BINDS(bind_text(email_key)), &rows));
        *owner_id = db_rows_count(rows) > 0 ? db_text(rows, 0, "id") : "";
        return SN_OK;
}

DB_STATEMENT(SELECT_MAIL_RECIPIENTS, "user_service", &user__mail_recipient__message,
             "select u.id, u.email, u.username from users u where u.id = any($1::uuid[])"
             " and u.email_verified_at is not null and " USER_IS_SHOWN("u"));

sn_status store_mail_recipients(struct db_tx *tx, char **ids, size_t n_ids, size_t *n,
                                User__MailRecipient ***recipients)
{
        return db_list(tx, &SELECT_MAIL_RECIPIENTS, DB_BINDS(bind_uuids(ids, n_ids)), n, recipients);
}

DB_STATEMENT(PUT_VERIFICATION, "user_service", NULL,
             "insert into email_verification_tokens (user_id, email, email_key, code_hash, token_hash, expires_at)"
             " values ($1, $2, $3, $4, $5, now() + make_interval(secs => $6::bigint))"
             " on conflict (user_id) do update set email = excluded.email, email_key = excluded.email_key,"
             " code_hash = excluded.code_hash, token_hash = excluded.token_hash, tries = 0,"
             " expires_at = excluded.expires_at");

sn_status store_put_verification(struct db_tx *tx, const struct email_verification *v, int64_t life_s)
{
        return db_exec(tx, &PUT_VERIFICATION,
                       DB_BINDS(bind_uuid(v->user_id), bind_text(v->email), bind_text(v->email_key),
                                bind_bytes(v->code_hash, sizeof(v->code_hash)),
                                bind_bytes(v->token_hash, sizeof(v->token_hash)), bind_i64(life_s)),
                       NULL);
}

#define VERIFICATION_COLUMNS "user_id, email, email_key, code_hash, tries, expires_at <= now() as expired"

DB_STATEMENT(SELECT_VERIFICATION, "user_service", &user_rows__verification__message,
             "select " VERIFICATION_COLUMNS " from email_verification_tokens where user_id = $1");

sn_status store_verification(struct db_tx *tx, const char *user_id, UserRows__Verification *out, bool *found)
{
        return db_one(tx, &SELECT_VERIFICATION, DB_BINDS(bind_uuid(user_id)), &out->base, found);
}

DB_STATEMENT(TRY_CODE, "user_service", &user_rows__verification__message,
             "update email_verification_tokens set tries = tries + 1"
             " where user_id = $1 and tries < $2 and expires_at > now() returning " VERIFICATION_COLUMNS);

sn_status store_try_code(struct db_tx *tx, const char *user_id, int64_t tries, UserRows__Verification *out, bool *found)
{
        return db_one(tx, &TRY_CODE, DB_BINDS(bind_uuid(user_id), bind_i64(tries)), &out->base, found);
}

DB_STATEMENT(SELECT_VERIFICATION_OF_TOKEN, "user_service", &user_rows__verification__message,
             "select v.user_id, v.email, v.email_key, v.code_hash, v.tries, false as expired from users u"
             " join email_verification_tokens v on v.user_id = u.id where v.token_hash = $1 and v.expires_at > now()"
             " for no key update of u for update of v");

sn_status store_verification_of_token(struct db_tx *tx, const uint8_t hash[MAILED_HASH_BYTES],
                                      UserRows__Verification *out, bool *found)
{
        return db_one(tx, &SELECT_VERIFICATION_OF_TOKEN, DB_BINDS(bind_bytes(hash, MAILED_HASH_BYTES)), &out->base,
                      found);
}

DB_STATEMENT(SET_VERIFIED_EMAIL, "user_service", NULL,
             "update users set email = $2, email_key = $3, email_verified_at = now() where id = $1");

sn_status store_set_verified_email(struct db_tx *tx, const UserRows__Verification *v)
{
        sn_status status = db_exec(tx, &SET_VERIFIED_EMAIL,
                                   DB_BINDS(bind_uuid(v->user_id), bind_text(v->email), bind_text(v->email_key)), NULL);

        return status == SN_ALREADY_EXISTS ? rpc_fail_code(db_call(tx), SN_ALREADY_EXISTS, "email_taken", "email",
                                                           "is already in use by another member")
                                           : status;
}

DB_STATEMENT(CLEANUP_VERIFICATIONS, "user_service", NULL,
             "with old as (select user_id from email_verification_tokens where expires_at < now() - interval '1 day'"
             " limit $1 for update skip locked), gone as (delete from email_verification_tokens v using old"
             " where v.user_id = old.user_id returning 1) select count(*) as most from gone");

sn_status store_cleanup_verifications(struct rpc_call *c, bool *more)
{
        return cleanup_portion(c, &CLEANUP_VERIFICATIONS, more);
}

DB_STATEMENT(DROP_EMAIL_CHANGE, "user_service", NULL,
             "delete from email_verification_tokens v using users u"
             " where v.user_id = $1 and u.id = v.user_id and v.email_key <> u.email_key");

sn_status store_drop_email_change(struct db_tx *tx, const char *user_id)
{
        return db_exec(tx, &DROP_EMAIL_CHANGE, DB_BINDS(bind_uuid(user_id)), NULL);
}

DB_STATEMENT(DROP_VERIFICATION, "user_service", NULL, "delete from email_verification_tokens where user_id = $1");

sn_status store_drop_verification(struct db_tx *tx, const char *user_id)
{
        return db_exec(tx, &DROP_VERIFICATION, DB_BINDS(bind_uuid(user_id)), NULL);
}
