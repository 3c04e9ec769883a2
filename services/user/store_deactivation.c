/* Owns the SQL on accounts that end. */
#include "services/user/store.h"
#include "services/user/user_columns.h"

static sn_status change_deactivation(struct db_tx *tx, const struct db_statement *s, const char *user_id, bool *done)
{
        int64_t affected = 0;

        TRY(db_exec(tx, s, DB_BINDS(bind_uuid(user_id)), &affected));
        *done = affected > 0;
        return SN_OK;
}

DB_STATEMENT(DEACTIVATE, "user_service", NULL,
             "update users set deactivated_at = now() where id = $1 and deactivated_at is null");

sn_status store_deactivate(struct db_tx *tx, const char *user_id, bool *done)
{
        return change_deactivation(tx, &DEACTIVATE, user_id, done);
}

DB_STATEMENT(REACTIVATE, "user_service", NULL,
             "update users set deactivated_at = null where id = $1 and deactivated_at is not null");

sn_status store_reactivate(struct db_tx *tx, const char *user_id, bool *done)
{
        return change_deactivation(tx, &REACTIVATE, user_id, done);
}

DB_STATEMENT(SELECT_IS_SHOWN, "user_service", NULL, "select 1 from users u where u.id = $1 and " USER_IS_SHOWN("u"));

sn_status store_is_shown(struct db_tx *tx, const char *user_id, bool *shown)
{
        struct db_rows *rows = NULL;

        TRY(db_rows(tx, &SELECT_IS_SHOWN, DB_BINDS(bind_uuid(user_id)), &rows));
        *shown = db_rows_count(rows) > 0;
        return SN_OK;
}

DB_STATEMENT(LOCK_EXPIRED, "user_service", NULL,
             "select id from users where deactivated_at <= now() - make_interval(days => $1::integer)"
             " order by deactivated_at limit 1 for update skip locked");
DB_STATEMENT(LOCK_UNANSWERED, "user_service", NULL,
             "select id from users where waiting_since <= now() - interval '30 days'"
             " order by waiting_since limit 1 for update skip locked");

sn_status store_lock_expired(struct db_tx *tx, int64_t grace_days, const char **id)
{
        struct db_rows *rows = NULL;

        TRY(db_rows(tx, &LOCK_EXPIRED, DB_BINDS(bind_i64(grace_days)), &rows));
        if (db_rows_count(rows) == 0) {
                TRY(db_rows(tx, &LOCK_UNANSWERED, DB_NO_BINDS, &rows));
        }
        *id = db_rows_count(rows) > 0 ? db_text(rows, 0, "id") : "";
        return SN_OK;
}

DB_STATEMENT(ERASE_AUDITED, "user_service", NULL, "select audit_erase($1) as entries");
DB_STATEMENT(ERASE_KEYS, "user_service", NULL, "delete from idempotency_keys where actor_id = $1");
DB_STATEMENT(ERASE_USER, "user_service", NULL, "delete from users where id = $1");

sn_status store_erase(struct db_tx *tx, const char *user_id)
{
        struct db_rows *rows = NULL;

        TRY(db_rows(tx, &ERASE_AUDITED, DB_BINDS(bind_uuid(user_id)), &rows));
        TRY(db_exec(tx, &ERASE_KEYS, DB_BINDS(bind_uuid(user_id)), NULL));
        return db_exec(tx, &ERASE_USER, DB_BINDS(bind_uuid(user_id)), NULL);
}
