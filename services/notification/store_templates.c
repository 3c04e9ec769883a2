/* Reads and writes the table notification_templates. */
#include "services/notification/store.h"

DB_STATEMENT(SELECT_TEMPLATES, "notification_service", &notification_rows__template__message,
             "select distinct on (type, language) type, language, version, source, created_at"
             " from notification_templates where channel = $1 order by type, language, version desc");

sn_status store_templates(struct db_tx *tx, enum channel channel, size_t *n, NotificationRows__Template ***rows)
{
        return db_list(tx, &SELECT_TEMPLATES, DB_BINDS(bind_i64(channel)), n, rows);
}

DB_STATEMENT(SAVE_TEMPLATE, "notification_service", &notification_rows__template__message,
             "insert into notification_templates (channel, type, language, version, source) select $1, $2, $3,"
             " coalesce(max(version), 0) + 1, $4 from notification_templates where channel = $1 and type = $2"
             " and language = $3 returning type, language, version, source, created_at");

sn_status store_save_template(struct db_tx *tx, enum channel channel, const char *type, const char *language,
                              const char *source, NotificationRows__Template *out)
{
        NotificationRows__Template **rows = NULL;
        size_t n = 0;

        TRY(db_lock_one(tx, "notification_template", ""));
        TRY(db_list(tx, &SAVE_TEMPLATE,
                    DB_BINDS(bind_i64(channel), bind_text(type), bind_text(language), bind_text(source)), &n, &rows));
        *out = *rows[0];
        return SN_OK;
}
