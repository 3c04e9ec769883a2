/* Reads and writes the table mail_suppressions. */
#include "services/notification/store.h"

/* A different address, or the same one after its suppression expired, is suppressed anew. */
DB_STATEMENT(SUPPRESS, "notification_service", NULL,
             "insert into mail_suppressions as s (user_id, recipient, status) values ($1, $2, $3)"
             " on conflict (user_id) do update set recipient = excluded.recipient, status = excluded.status,"
             " created_at = now() where s.recipient <> excluded.recipient"
             " or s.created_at <= now() - $4 * interval '1 day'");

sn_status store_suppress(struct db_tx *tx, const char *user_id, const char *recipient, const char *status, bool *fresh)
{
        int64_t n = 0;

        TRY(db_exec(tx, &SUPPRESS,
                    DB_BINDS(bind_uuid(user_id), bind_text(recipient), bind_text(status), bind_i64(SUPPRESSED_DAYS)),
                    &n));
        *fresh = n > 0;
        return SN_OK;
}

DB_STATEMENT(SELECT_SUPPRESSED, "notification_service", &notification_rows__suppressed__message,
             "select user_id, recipient from mail_suppressions where user_id = any($1)"
             " and created_at > now() - $2 * interval '1 day'");

sn_status store_suppressed(struct db_tx *tx, char **user_ids, size_t n, size_t *n_rows,
                           NotificationRows__Suppressed ***rows)
{
        return db_list(tx, &SELECT_SUPPRESSED, DB_BINDS(bind_uuids(user_ids, n), bind_i64(SUPPRESSED_DAYS)), n_rows,
                       rows);
}
