/* Owns the SQL on settings. */
#include "services/user/store.h"

DB_STATEMENT(SELECT_SETTINGS, "user_service", &user_rows__stored_setting__message,
             "select key, value, user_id from user_settings where user_id = any($1::uuid[]) order by user_id, key");

sn_status store_settings(struct db_tx *tx, char **ids, size_t n_ids, size_t *n, UserRows__StoredSetting ***settings)
{
        return db_list(tx, &SELECT_SETTINGS, DB_BINDS(bind_uuids(ids, n_ids)), n, settings);
}

DB_STATEMENT(KEEP_SETTINGS, "user_service", NULL,
             "insert into user_settings (user_id, key, value) select $1, key, value"
             " from unnest($2::text[], $3::text[]) as s (key, value)"
             " on conflict (user_id, key) do update set value = excluded.value");

sn_status store_keep_settings(struct db_tx *tx, const char *user_id, char **keys, char **values, size_t n)
{
        return db_exec(tx, &KEEP_SETTINGS, DB_BINDS(bind_uuid(user_id), bind_texts(keys, n), bind_texts(values, n)),
                       NULL);
}

DB_STATEMENT(DROP_SETTINGS, "user_service", NULL,
             "delete from user_settings where user_id = $1 and key = any($2::text[])");

sn_status store_drop_settings(struct db_tx *tx, const char *user_id, char **keys, size_t n)
{
        return db_exec(tx, &DROP_SETTINGS, DB_BINDS(bind_uuid(user_id), bind_texts(keys, n)), NULL);
}

DB_STATEMENT(SELECT_COUNTABLE, "user_service", NULL,
             "select u.id from users u where u.id = any($1::uuid[]) and not exists (select from user_settings s"
             " where s.user_id = u.id and s.key = 'privacy.analytics' and s.value = 'false')");

sn_status store_countable(struct db_tx *tx, char **ids, size_t n_ids, size_t *n, char ***countable)
{
        struct db_rows *rows = NULL;

        TRY(db_rows(tx, &SELECT_COUNTABLE, DB_BINDS(bind_uuids(ids, n_ids)), &rows));
        *n = db_rows_count(rows);
        *countable = ARENA_ARRAY(db_arena(tx), char *, *n + 1);
        for (size_t i = 0; i < *n; i++) {
                (*countable)[i] = (char *)db_text(rows, i, "id");
        }
        return SN_OK;
}
