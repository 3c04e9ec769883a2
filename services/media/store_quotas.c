/* Owns the SQL of members' quotas, and of whether members are hidden. */
#include "services/media/store.h"

DB_STATEMENT(LOCK_QUOTA, "media_service", &media_rows__quota__message,
             "insert into user_storage_quotas as q (user_id) values ($1)"
             " on conflict (user_id) do update set user_id = q.user_id returning q.used_bytes, q.reserved_bytes");

sn_status store_lock_quota(struct db_tx *tx, const char *user_id, MediaRows__Quota *out)
{
        return db_one(tx, &LOCK_QUOTA, DB_BINDS(bind_uuid(user_id)), &out->base, NULL);
}

DB_STATEMENT(SELECT_QUOTA, "media_service", &media_rows__quota__message,
             "select used_bytes, reserved_bytes from user_storage_quotas where user_id = $1");

sn_status store_quota(struct db_tx *tx, const char *user_id, MediaRows__Quota *out)
{
        bool found = false;

        return db_one(tx, &SELECT_QUOTA, DB_BINDS(bind_uuid(user_id)), &out->base, &found);
}

DB_STATEMENT(CHANGE_QUOTA, "media_service", NULL,
             "update user_storage_quotas set used_bytes = used_bytes + $2, reserved_bytes = reserved_bytes + $3"
             " where user_id = $1");

sn_status store_change_quota(struct db_tx *tx, const char *user_id, int64_t used, int64_t reserved)
{
        return db_exec(tx, &CHANGE_QUOTA, DB_BINDS(bind_uuid(user_id), bind_i64(used), bind_i64(reserved)), NULL);
}

DB_STATEMENT(SELECT_USAGE, "media_service", &media__usage__message,
             "select coalesce(max(q.used_bytes), 0)::bigint as used_bytes,"
             " coalesce(max(q.reserved_bytes), 0)::bigint as reserved_bytes,"
             " (select count(*) from media_files where owner_id = $1) as files"
             " from user_storage_quotas q where q.user_id = $1");

sn_status store_usage(struct db_tx *tx, const char *user_id, Media__Usage *out)
{
        return db_one(tx, &SELECT_USAGE, DB_BINDS(bind_uuid(user_id)), &out->base, NULL);
}

DB_STATEMENT(HIDE_OWNER, "media_service", NULL, "update user_storage_quotas set is_hidden = $2 where user_id = $1");

sn_status store_hide_owner(struct db_tx *tx, const char *user_id, bool is_hidden)
{
        return db_exec(tx, &HIDE_OWNER, DB_BINDS(bind_uuid(user_id), bind_bool(is_hidden)), NULL);
}

DB_STATEMENT(DELETE_QUOTA, "media_service", NULL, "delete from user_storage_quotas where user_id = $1");

sn_status store_delete_quota(struct db_tx *tx, const char *user_id)
{
        return db_exec(tx, &DELETE_QUOTA, DB_BINDS(bind_uuid(user_id)), NULL);
}
