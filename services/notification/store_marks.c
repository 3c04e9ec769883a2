/* Marks notifications as read, seen, archived, snoozed or deleted. */
#include "services/notification/store.h"

/* Actors are not added to a notification that was read. */
DB_STATEMENT(MARK_READ, "notification_service", NULL,
             "update notifications set read_at = $3, seen_at = coalesce(seen_at, $3), open = false"
             " where id = any($2) and user_id = $1 and read_at is null");

sn_status store_mark_read(struct db_tx *tx, const char *user_id, char **ids, size_t n, int64_t *changed)
{
        return db_exec(tx, &MARK_READ,
                       DB_BINDS(bind_uuid(user_id), bind_uuids(ids, n), bind_time_ms(db_call(tx)->now_ms)), changed);
}

DB_STATEMENT(MARK_READ_TO, "notification_service", NULL,
             "update notifications set read_at = $4, seen_at = coalesce(seen_at, $4), open = false"
             " where id in (select n.id from notifications n where n.user_id = $1 and n.box = 1 and n.read_at is null"
             " and n.archived_at is null and (n.latest_at, n.id) <= (select t.latest_at, t.id from notifications t"
             " where t.id = $2 and t.user_id = $1) and n.latest_at <= $4"
             " order by n.latest_at desc, n.id desc limit $3 for update)");

sn_status store_mark_read_to(struct db_tx *tx, const char *user_id, const char *id, int64_t limit, int64_t *changed)
{
        return db_exec(tx, &MARK_READ_TO,
                       DB_BINDS(bind_uuid(user_id), bind_uuid(id), bind_i64(limit), bind_time_ms(db_call(tx)->now_ms)),
                       changed);
}

DB_STATEMENT(MARK_SEEN, "notification_service", NULL,
             "update notifications set seen_at = $3 where id in (select id from notifications where user_id = $1"
             " and box = 1 and read_at is null and archived_at is null and seen_at is null and latest_at <= $3"
             " order by latest_at desc, id desc limit $2 for update)");

sn_status store_mark_seen(struct db_tx *tx, const char *user_id, int64_t limit, int64_t *changed)
{
        return db_exec(tx, &MARK_SEEN, DB_BINDS(bind_uuid(user_id), bind_i64(limit), bind_time_ms(db_call(tx)->now_ms)),
                       changed);
}

DB_STATEMENT(ARCHIVE, "notification_service", NULL,
             "update notifications set archived_at = case when $3 then coalesce(archived_at, $4) end,"
             " open = open and not $3 where id = $2 and user_id = $1");

sn_status store_archive(struct db_tx *tx, const char *user_id, const char *id, bool archived, int64_t *changed)
{
        return db_exec(
            tx, &ARCHIVE,
            DB_BINDS(bind_uuid(user_id), bind_uuid(id), bind_bool(archived), bind_time_ms(db_call(tx)->now_ms)),
            changed);
}

DB_STATEMENT(SNOOZE, "notification_service", NULL,
             "update notifications set snoozed_until = $3, latest_at = $3, seen_at = null, read_at = null,"
             " archived_at = null, open = false where id = $2 and user_id = $1");

sn_status store_snooze(struct db_tx *tx, const char *user_id, const char *id, int64_t until_ms, int64_t *changed)
{
        return db_exec(tx, &SNOOZE, DB_BINDS(bind_uuid(user_id), bind_uuid(id), bind_time_ms(until_ms)), changed);
}

DB_STATEMENT(UNSNOOZE, "notification_service", NULL,
             "update notifications set snoozed_until = null, latest_at = least(latest_at, $3)"
             " where id = $2 and user_id = $1");

sn_status store_unsnooze(struct db_tx *tx, const char *user_id, const char *id, int64_t *changed)
{
        return db_exec(tx, &UNSNOOZE, DB_BINDS(bind_uuid(user_id), bind_uuid(id), bind_time_ms(db_call(tx)->now_ms)),
                       changed);
}

DB_STATEMENT(DELETE_ONE, "notification_service", NULL, "delete from notifications where id = $2 and user_id = $1");

sn_status store_delete(struct db_tx *tx, const char *user_id, const char *id, int64_t *changed)
{
        return db_exec(tx, &DELETE_ONE, DB_BINDS(bind_uuid(user_id), bind_uuid(id)), changed);
}

DB_STATEMENT(SELECT_OWN, "notification_service", NULL,
             "select exists (select from notifications where id = $2 and user_id = $1) as own");

sn_status store_is_own(struct db_tx *tx, const char *user_id, const char *id, bool *own)
{
        struct db_rows *rows = NULL;

        TRY(db_rows(tx, &SELECT_OWN, DB_BINDS(bind_uuid(user_id), bind_uuid(id)), &rows));
        *own = db_i64(rows, 0, "own") != 0;
        return SN_OK;
}
