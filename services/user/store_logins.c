/* Owns the SQL for logging in: credentials, the log-in history, and the failures that delay the next attempt. */
#include "services/user/store.h"
#include "services/user/user_columns.h"

#define CREDENTIALS "select " USER_COLUMNS("user.") ", u.password_hash, u.epoch" USER_TABLES

static sn_status one_credentials(struct db_tx *tx, const struct db_statement *s, struct db_bind which,
                                 UserRows__Credentials *out, bool *found)
{
        TRY(db_one(tx, s, &which, 1, &out->base, found));
        if (*found) {
                store_complete_user(tx, out->user);
        }
        return SN_OK;
}

DB_STATEMENT(SELECT_CREDENTIALS, "user_service", &user_rows__credentials__message,
             CREDENTIALS
             " where u.username_key = $1 or (u.email_key = $1 and u.email_verified_at is not null) limit 1");

sn_status store_credentials(struct db_tx *tx, const char *key, UserRows__Credentials *out, bool *found)
{
        return one_credentials(tx, &SELECT_CREDENTIALS, bind_text(key), out, found);
}

DB_STATEMENT(SELECT_CREDENTIALS_OF, "user_service", &user_rows__credentials__message, CREDENTIALS " where u.id = $1");

sn_status store_credentials_of(struct db_tx *tx, const char *user_id, UserRows__Credentials *out, bool *found)
{
        return one_credentials(tx, &SELECT_CREDENTIALS_OF, bind_uuid(user_id), out, found);
}

#define SINCE_MS(which) "(extract(epoch from now() - max(created_at) filter (where " which ")) * 1000)::bigint"

/* Reads about a hundred rows at most: the delays do not allow more within an hour. */
DB_STATEMENT(SELECT_LOGIN_FAILURES, "user_service", &user_rows__login_failures__message,
             "select count(*) filter (where here) as of_network, " SINCE_MS(
                 "here") " as of_network_since_ms,"
                         " count(*) filter (where anywhere) as of_name, " SINCE_MS(
                             "anywhere") " as of_name_since_ms,"
                                         " count(*) filter (where device) as of_device, " SINCE_MS(
                                             "device") " as of_device_since_ms"
                                                       " from (select created_at, device_id is null as anywhere, "
                                                       "device_id is null and network = $2 as here,"
                                                       " device_id = $3 as device from user_login_history"
                                                       " where login_hash = $1 and not succeeded and created_at > "
                                                       "now() - interval '1 hour') as wrong");

sn_status store_login_failures(struct db_tx *tx, const struct login_try *try, UserRows__LoginFailures *out)
{
        return db_one(
            tx, &SELECT_LOGIN_FAILURES,
            DB_BINDS(bind_bytes(try->hash, sizeof(try->hash)), bind_text(try->network), bind_uuid(try->device)),
            &out->base, NULL);
}

DB_STATEMENT(
    INSERT_LOGIN, "user_service", NULL,
    "insert into user_login_history (id, user_id, succeeded, login_hash, network, address, user_agent, device_id,"
    " factor, reason) values ($1, $2, $3, $4, $5, $6, $7, $8, $9, $10)");

sn_status store_insert_login(struct db_tx *tx, const struct login_try *try, const char *user_id, bool succeeded)
{
        const struct rpc_call *c = db_call(tx);
        const char *reason = try->reason != NULL ? try->reason : "wrong_password";

        return db_exec(tx, &INSERT_LOGIN,
                       DB_BINDS(bind_uuid(uuid_new_in(db_arena(tx))), bind_uuid(user_id), bind_bool(succeeded),
                                bind_bytes(try->hash, sizeof(try->hash)), bind_text(try->network),
                                bind_text(c->client_address), bind_text(c->user_agent), bind_uuid(try->device),
                                bind_text(try->factor != NULL ? try->factor : "password"),
                                bind_text(succeeded ? "" : reason)),
                       NULL);
}

#define LOGINS(comparison, direction)                                                                                  \
        "select id, created_at, succeeded, factor, reason, address, user_agent, device_id is not null as known_device" \
        " from user_login_history where user_id = $1 and id " comparison " $2 order by id " direction " limit $3"

DB_STATEMENT(SELECT_LOGINS, "user_service", &user_logins__log_in_entry__message, LOGINS("<", "desc"));
DB_STATEMENT(SELECT_LOGINS_AFTER, "user_service", &user_logins__log_in_entry__message, LOGINS(">", "asc"));

sn_status store_logins(struct db_tx *tx, const char *user_id, const struct page_scan *scan, size_t *n,
                       UserLogins__LogInEntry ***items)
{
        return db_list(tx, scan->newer ? &SELECT_LOGINS_AFTER : &SELECT_LOGINS,
                       DB_BINDS(bind_uuid(user_id), bind_uuid(page_beyond_id(scan)), bind_i64((int64_t)scan->limit)), n,
                       items);
}
