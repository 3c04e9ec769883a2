/* Owns the SQL of which objects show which media. */
#include "services/cleanup.h"
#include "services/media/media_columns.h"
#include "services/media/store.h"

DB_STATEMENT(SELECT_MEDIAS, "media_service", &media_rows__stored_media__message,
             "select " MEDIA_COLUMNS("") " from media_files f where f.id = any($1::uuid[])");

sn_status store_medias(struct db_tx *tx, char **ids, size_t n, size_t *n_rows, MediaRows__StoredMedia ***rows)
{
        return db_list(tx, &SELECT_MEDIAS, DB_BINDS(bind_uuids(ids, n)), n_rows, rows);
}

DB_STATEMENT(LOCK_MEDIAS, "media_service", &media_rows__stored_media__message,
             "select " MEDIA_COLUMNS("") " from media_files f where f.id = any($1::uuid[]) order by f.id"
                                         " for key share of f");

sn_status store_lock_medias(struct db_tx *tx, char **ids, size_t n, size_t *n_rows, MediaRows__StoredMedia ***rows)
{
        return db_list(tx, &LOCK_MEDIAS, DB_BINDS(bind_uuids(ids, n)), n_rows, rows);
}

DB_STATEMENT(INSERT_USES, "media_service", NULL,
             "insert into media_uses (media_id, object_id, is_public) select distinct id, $2::uuid, $3::boolean"
             " from unnest($1::uuid[]) as m (id) on conflict do nothing");

sn_status store_insert_uses(struct db_tx *tx, char **media_ids, size_t n, const char *object_id, bool is_public)
{
        return db_exec(tx, &INSERT_USES, DB_BINDS(bind_uuids(media_ids, n), bind_uuid(object_id), bind_bool(is_public)),
                       NULL);
}

DB_STATEMENT(CONFIRM_USES, "media_service", NULL, "update media_uses set is_confirmed = true where object_id = $1");

sn_status store_confirm_uses(struct db_tx *tx, const char *object_id)
{
        return db_exec(tx, &CONFIRM_USES, DB_BINDS(bind_uuid(object_id)), NULL);
}

DB_STATEMENT(REMOVE_UNCONFIRMED, "media_service", NULL,
             "with old as (select media_id, object_id from media_uses where not is_confirmed"
             " and created_at < now() - interval '8 days' order by created_at limit $1 for update skip locked),"
             " gone as (delete from media_uses u using old where u.media_id = old.media_id"
             " and u.object_id = old.object_id returning 1) select count(*) as most from gone");

sn_status store_remove_unconfirmed(struct rpc_call *c, bool *more)
{
        return cleanup_portion(c, &REMOVE_UNCONFIRMED, more);
}

/* The statement does not see the rows that it deletes as gone, so it excludes them itself. */
DB_STATEMENT(DELETE_USES, "media_service", &media_rows__stored_media__message,
             "with gone as (delete from media_uses where object_id = $1 returning media_id)"
             " select " MEDIA_COLUMNS(
                 "") " from gone join media_files f on f.id = gone.media_id"
                     " where not exists (select 1 from media_uses u where u.media_id = f.id and u.object_id <> $1)");

sn_status store_delete_uses(struct db_tx *tx, const char *object_id, size_t *n, MediaRows__StoredMedia ***gone)
{
        return db_list(tx, &DELETE_USES, DB_BINDS(bind_uuid(object_id)), n, gone);
}
