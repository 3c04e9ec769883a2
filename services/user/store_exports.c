/* Owns the SQL on archives. */
#include "services/user/store_exports.h"

DB_STATEMENT(SELECT_EXPORT, "user_service", &user_exports__export__message,
             "select id, progress, items, size_bytes, created_at, ready_at, expires_at from user_exports"
             " where user_id = $1 and coalesce(expires_at > now(), true)");

sn_status store_export_of(struct db_tx *tx, const char *user_id, UserExports__Export *out)
{
        bool found = false;

        return db_one(tx, &SELECT_EXPORT, DB_BINDS(bind_uuid(user_id)), &out->base, &found);
}

DB_STATEMENT(DROP_EXPIRED_OF, "user_service", NULL,
             "delete from user_exports where user_id = $1 and expires_at <= now()");
DB_STATEMENT(INSERT_EXPORT, "user_service", NULL,
             "insert into user_exports (id, user_id) values ($1, $2) on conflict (user_id) do nothing");

sn_status store_begin_export(struct db_tx *tx, const char *user_id)
{
        TRY(db_exec(tx, &DROP_EXPIRED_OF, DB_BINDS(bind_uuid(user_id)), NULL));
        return db_exec(tx, &INSERT_EXPORT, DB_BINDS(bind_uuid(uuid_new_in(db_arena(tx))), bind_uuid(user_id)), NULL);
}

DB_STATEMENT(DROP_EXPORT, "user_service", NULL, "delete from user_exports where user_id = $1 and id = $2");

sn_status store_drop_export(struct db_tx *tx, const char *user_id, const char *id)
{
        return db_exec(tx, &DROP_EXPORT, DB_BINDS(bind_uuid(user_id), bind_uuid(id)), NULL);
}

DB_STATEMENT(NEXT_EXPORT, "user_service", &user_rows__export_task__message,
             "update user_exports set tried_at = clock_timestamp() where id = (select id from user_exports"
             " where ready_at is null order by tried_at limit 1 for update skip locked)"
             " returning id, user_id, service, kind, after, parts, items,"
             " (extract(epoch from created_at) * 1000)::bigint as created_ms");

sn_status store_next_export(struct db_tx *tx, UserRows__ExportTask *out)
{
        bool found = false;

        return db_one(tx, &NEXT_EXPORT, DB_NO_BINDS, &out->base, &found);
}

DB_STATEMENT(DROP_PARTS, "user_service", NULL, "delete from user_export_parts where export_id = $1");
DB_STATEMENT(RESTART, "user_service", NULL,
             "update user_exports set service = '', kind = '', after = '', progress = 0, parts = 0, items = 0,"
             " size_bytes = 0 where id = $1");

sn_status store_restart_export(struct db_tx *tx, const char *id)
{
        TRY(db_exec(tx, &DROP_PARTS, DB_BINDS(bind_uuid(id)), NULL));
        return db_exec(tx, &RESTART, DB_BINDS(bind_uuid(id)), NULL);
}

DB_STATEMENT(ADVANCE, "user_service", NULL,
             "update user_exports set service = $3, kind = $4, after = $5, items = $6, progress = $7,"
             " parts = parts + 1, size_bytes = size_bytes + $8 where id = $1 and parts = $2 and ready_at is null");
DB_STATEMENT(INSERT_PART, "user_service", NULL,
             "insert into user_export_parts (export_id, position, data) values ($1, $2, $3)");

sn_status store_add_export_part(struct db_tx *tx, const UserRows__ExportTask *task, int64_t progress, const char *data,
                                size_t len, bool *added)
{
        int64_t affected = 0;

        TRY(db_exec(tx, &ADVANCE,
                    DB_BINDS(bind_uuid(task->id), bind_i64(task->parts), bind_text(task->service),
                             bind_text(task->kind), bind_text(task->after), bind_i64(task->items), bind_i64(progress),
                             bind_i64((int64_t)len)),
                    &affected));
        *added = affected > 0;
        return *added ? db_exec(tx, &INSERT_PART,
                                DB_BINDS(bind_uuid(task->id), bind_i64(task->parts),
                                         bind_bytes((const uint8_t *)data, len)),
                                NULL)
                      : SN_OK;
}

DB_STATEMENT(FINISH, "user_service", NULL,
             "update user_exports set progress = 100, ready_at = now(), expires_at = date_trunc('second', now()) +"
             " make_interval(days => $2::integer) where id = $1 returning extract(epoch from expires_at)::bigint as s");

sn_status store_finish_export(struct db_tx *tx, const char *id, int64_t days, int64_t *expires_s)
{
        struct db_rows *rows = NULL;

        TRY(db_rows(tx, &FINISH, DB_BINDS(bind_uuid(id), bind_i64(days)), &rows));
        *expires_s = db_rows_count(rows) > 0 ? db_i64(rows, 0, "s") : 0;
        return SN_OK;
}

DB_STATEMENT(DROP_EXPIRED, "user_service", NULL,
             "delete from user_exports where id = (select id from user_exports where expires_at <= now()"
             " and ready_at is not null order by expires_at limit 1 for update skip locked)");

sn_status store_drop_expired_export(struct db_tx *tx, bool *dropped)
{
        int64_t affected = 0;

        TRY(db_exec(tx, &DROP_EXPIRED, DB_NO_BINDS, &affected));
        *dropped = affected > 0;
        return SN_OK;
}

DB_STATEMENT(SELECT_PARTS, "user_service", NULL,
             "select e.parts, u.username from user_exports e join users u on u.id = e.user_id"
             " where e.id = $1 and e.expires_at > now() and u.deactivated_at is null");

sn_status store_export_parts(struct db_tx *tx, const char *id, int64_t *parts, const char **username)
{
        struct db_rows *rows = NULL;

        TRY(db_rows(tx, &SELECT_PARTS, DB_BINDS(bind_uuid(id)), &rows));
        *parts = db_rows_count(rows) > 0 ? db_i64(rows, 0, "parts") : 0;
        *username = *parts > 0 ? db_text(rows, 0, "username") : "";
        return SN_OK;
}

DB_STATEMENT(SELECT_PART, "user_service", NULL,
             "select data from user_export_parts where export_id = $1 and position = $2");

sn_status store_export_part(struct db_tx *tx, const char *id, int64_t position, const uint8_t **data, size_t *len)
{
        struct db_rows *rows = NULL;

        TRY(db_rows(tx, &SELECT_PART, DB_BINDS(bind_uuid(id), bind_i64(position)), &rows));
        if (db_rows_count(rows) == 0) {
                return rpc_fail(db_call(tx), SN_NOT_FOUND, NULL, "this archive was deleted");
        }
        *data = db_bytes(rows, 0, "data", len);
        return SN_OK;
}
