/* Owns the SQL on passkeys. */
#include "services/user/store_passkeys.h"

DB_STATEMENT(INSERT_PASSKEY, "user_service", NULL,
             "insert into passkeys (id, user_id, credential_id, public_key, algorithm, sign_count, name)"
             " values ($1, $2, $3, $4, $5::bigint, $6, $7)");

sn_status store_insert_passkey(struct db_tx *tx, const char *id, const char *user_id, const char *name,
                               const struct webauthn_key *key)
{
        sn_status status = db_exec(tx, &INSERT_PASSKEY,
                                   DB_BINDS(bind_uuid(id), bind_uuid(user_id), bind_bytes(key->id.data, key->id.len),
                                            bind_bytes(key->public_key.data, key->public_key.len),
                                            bind_i64(key->algorithm), bind_i64(key->sign_count), bind_text(name)),
                                   NULL);

        return status == SN_ALREADY_EXISTS ? rpc_fail_code(db_call(tx), SN_ALREADY_EXISTS, "passkey_known",
                                                           "attestation_object", "is already registered to a member")
                                           : status;
}

DB_STATEMENT(SELECT_PASSKEY, "user_service", &user_factors__passkey__message,
             "select id, name, created_at, last_used_at from passkeys where id = $1 and user_id = $2");

sn_status store_passkey(struct db_tx *tx, const char *id, const char *user_id, UserFactors__Passkey *out)
{
        return db_one(tx, &SELECT_PASSKEY, DB_BINDS(bind_uuid(id), bind_uuid(user_id)), &out->base, NULL);
}

DB_STATEMENT(SELECT_PASSKEYS, "user_service", &user_factors__passkey__message,
             "select id, name, created_at, last_used_at from passkeys where user_id = $1 order by id limit 20");

sn_status store_passkeys(struct db_tx *tx, const char *user_id, size_t *n, UserFactors__Passkey ***passkeys)
{
        return db_list(tx, &SELECT_PASSKEYS, DB_BINDS(bind_uuid(user_id)), n, passkeys);
}

#define STORED "select id, user_id, credential_id, public_key, algorithm::bigint as algorithm, sign_count from passkeys"

DB_STATEMENT(SELECT_STORED, "user_service", &user_rows__stored_passkey__message,
             STORED " where user_id = $1 order by id limit 20");

sn_status store_stored_passkeys(struct db_tx *tx, const char *user_id, size_t *n, UserRows__StoredPasskey ***passkeys)
{
        return db_list(tx, &SELECT_STORED, DB_BINDS(bind_uuid(user_id)), n, passkeys);
}

/* The owner's row first: the lock order (store.h). */
DB_STATEMENT(LOCK_BY_CREDENTIAL, "user_service", &user_rows__stored_passkey__message,
             "with owner as materialized (select id from users where id = (select user_id from passkeys where"
             " credential_id = $1) for no key update) " STORED
             " where credential_id = $1 and exists (select from owner) for update");

sn_status store_lock_passkey(struct db_tx *tx, const uint8_t *credential_id, size_t len, UserRows__StoredPasskey *out,
                             bool *found)
{
        return db_one(tx, &LOCK_BY_CREDENTIAL, DB_BINDS(bind_bytes(credential_id, len)), &out->base, found);
}

DB_STATEMENT(TOUCH_PASSKEY, "user_service", NULL,
             "update passkeys set sign_count = $2, last_used_at = now() where id = $1");

sn_status store_touch_passkey(struct db_tx *tx, const char *id, int64_t sign_count)
{
        return db_exec(tx, &TOUCH_PASSKEY, DB_BINDS(bind_uuid(id), bind_i64(sign_count)), NULL);
}

DB_STATEMENT(DELETE_PASSKEY, "user_service", NULL, "delete from passkeys where id = $1 and user_id = $2");

sn_status store_delete_passkey(struct db_tx *tx, const char *id, const char *user_id)
{
        int64_t n = 0;

        TRY(db_exec(tx, &DELETE_PASSKEY, DB_BINDS(bind_uuid(id), bind_uuid(user_id)), &n));
        return n > 0 ? SN_OK : rpc_fail(db_call(tx), SN_NOT_FOUND, "id", "you have no passkey with this id");
}
