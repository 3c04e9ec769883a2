/* Owns the SQL of uploads and their chunks. */
#include "services/media/store.h"

#include "base/clock.h"

#define COLUMNS                                                                                                        \
        "id, owner_id, coalesce(length, 0) as length, length is not null as has_length, received_bytes,"               \
        " reserved_bytes, is_partial, metadata, concat, media_id,"                                                     \
        " coalesce((extract(epoch from nullif(fenced_at, '-infinity')) * 1000)::bigint, 0) as fenced_ms, expires_at"

#define LENGTH(u) ((u)->has_length ? bind_i64((u)->length) : bind_null())

DB_STATEMENT(INSERT_UPLOAD, "media_service", NULL,
             "insert into upload_sessions (id, owner_id, length, received_bytes, reserved_bytes, is_partial, metadata,"
             " concat, expires_at) values ($1, $2, $3, $4, $5, $6, $7, $8, now() + interval '1 day')");

sn_status store_insert_upload(struct db_tx *tx, const MediaRows__StoredUpload *u)
{
        return db_exec(tx, &INSERT_UPLOAD,
                       DB_BINDS(bind_uuid(u->id), bind_uuid(u->owner_id), LENGTH(u), bind_i64(u->received_bytes),
                                bind_i64(u->reserved_bytes), bind_bool(u->is_partial), bind_text(u->metadata),
                                bind_text(u->concat)),
                       NULL);
}

DB_STATEMENT(COUNT_UNFINISHED_UPLOADS, "media_service", NULL,
             "select count(*) as n from upload_sessions where owner_id = $1 and media_id is null"
             " and expires_at > now()");

sn_status store_unfinished_uploads(struct db_tx *tx, const char *owner_id, int64_t *n)
{
        struct db_rows *rows = NULL;

        TRY(db_rows(tx, &COUNT_UNFINISHED_UPLOADS, DB_BINDS(bind_uuid(owner_id)), &rows));
        *n = db_i64(rows, 0, "n");
        return SN_OK;
}

#define OWN "select " COLUMNS " from upload_sessions where id = $1 and owner_id = $2 and expires_at > now()"

DB_STATEMENT(SELECT_UPLOAD, "media_service", &media_rows__stored_upload__message, OWN);
DB_STATEMENT(LOCK_UPLOAD, "media_service", &media_rows__stored_upload__message, OWN " for update");

sn_status store_upload(struct db_tx *tx, const char *id, bool lock, MediaRows__StoredUpload *out)
{
        struct rpc_call *c = db_call(tx);
        bool found = false;

        TRY(db_one(tx, lock ? &LOCK_UPLOAD : &SELECT_UPLOAD, DB_BINDS(bind_uuid(id), bind_uuid(c->actor)), &out->base,
                   &found));
        return found ? SN_OK : rpc_fail(c, SN_NOT_FOUND, "id", "you have no such upload, or it has expired");
}

DB_STATEMENT(UPDATE_UPLOAD, "media_service", NULL,
             "update upload_sessions set length = $2, received_bytes = $3, reserved_bytes = $4, media_id = $5,"
             " expires_at = now() + interval '1 day' where id = $1");

sn_status store_update_upload(struct db_tx *tx, const MediaRows__StoredUpload *u)
{
        return db_exec(tx, &UPDATE_UPLOAD,
                       DB_BINDS(bind_uuid(u->id), LENGTH(u), bind_i64(u->received_bytes), bind_i64(u->reserved_bytes),
                                bind_uuid(u->media_id)),
                       NULL);
}

DB_STATEMENT(FENCE_UPLOAD, "media_service", NULL, "update upload_sessions set fenced_at = $2 where id = $1");

sn_status store_fence_upload(struct db_tx *tx, const char *id)
{
        /* The current time, not that of the request: pieces that arrived while it waited for the row are included in
         * this offset or will be dropped. */
        return db_exec(tx, &FENCE_UPLOAD, DB_BINDS(bind_uuid(id), bind_time_ms(clock_wall_ms())), NULL);
}

DB_STATEMENT(DELETE_UPLOAD, "media_service", NULL, "delete from upload_sessions where id = $1");

sn_status store_delete_upload(struct db_tx *tx, const char *id)
{
        return db_exec(tx, &DELETE_UPLOAD, DB_BINDS(bind_uuid(id)), NULL);
}

DB_STATEMENT(LOCK_EXPIRED_UPLOADS, "media_service", &media_rows__stored_upload__message,
             "select " COLUMNS " from upload_sessions where expires_at < now() order by expires_at limit $1"
             " for update skip locked");

sn_status store_expired_uploads(struct db_tx *tx, size_t limit, size_t *n, MediaRows__StoredUpload ***rows)
{
        return db_list(tx, &LOCK_EXPIRED_UPLOADS, DB_BINDS(bind_i64((int64_t)limit)), n, rows);
}

DB_STATEMENT(LOCK_UPLOADS_OF, "media_service", &media_rows__stored_upload__message,
             "select " COLUMNS " from upload_sessions where owner_id = $1 limit $2 for update");

sn_status store_uploads_of(struct db_tx *tx, const char *owner_id, size_t limit, size_t *n,
                           MediaRows__StoredUpload ***rows)
{
        return db_list(tx, &LOCK_UPLOADS_OF, DB_BINDS(bind_uuid(owner_id), bind_i64((int64_t)limit)), n, rows);
}

DB_STATEMENT(INSERT_CHUNK, "media_service", NULL,
             "insert into upload_chunks (id, session_id, position, size_bytes) select $1, $2, $3, $4"
             " where (select count(*) from upload_chunks where session_id = $2) < $5");

sn_status store_insert_chunk(struct db_tx *tx, const char *id, const char *upload_id, int64_t position,
                             int64_t size_bytes, int64_t most)
{
        int64_t n = 0;

        TRY(db_exec(
            tx, &INSERT_CHUNK,
            DB_BINDS(bind_uuid(id), bind_uuid(upload_id), bind_i64(position), bind_i64(size_bytes), bind_i64(most)),
            &n));
        return n == 1 ? SN_OK : SN_RESOURCE_EXHAUSTED;
}

DB_STATEMENT(SELECT_CHUNKS, "media_service", &media_rows__chunk__message,
             "select id, size_bytes from upload_chunks where session_id = $1 order by position");

sn_status store_chunks(struct db_tx *tx, const char *upload_id, size_t *n, MediaRows__Chunk ***rows)
{
        return db_list(tx, &SELECT_CHUNKS, DB_BINDS(bind_uuid(upload_id)), n, rows);
}

DB_STATEMENT(SELECT_UNKNOWN_CHUNKS, "media_service", NULL,
             "select f.id::text as name from unnest($1::uuid[]) as f (id)"
             " where not exists (select 1 from upload_chunks c where c.id = f.id)");

sn_status store_unknown_chunks(struct db_tx *tx, char **ids, size_t n_ids, size_t *n, char ***names)
{
        struct db_rows *rows = NULL;

        TRY(db_rows(tx, &SELECT_UNKNOWN_CHUNKS, DB_BINDS(bind_uuids(ids, n_ids)), &rows));
        *n = db_rows_count(rows);
        *names = ARENA_ARRAY(db_arena(tx), char *, *n + 1);
        for (size_t i = 0; i < *n; i++) {
                (*names)[i] = arena_strdup(db_arena(tx), db_text(rows, i, "name"));
        }
        return SN_OK;
}

DB_STATEMENT(DELETE_CHUNKS, "media_service", &media_rows__chunk__message,
             "delete from upload_chunks where session_id = $1 returning id, size_bytes");

sn_status store_delete_chunks(struct db_tx *tx, const char *upload_id, size_t *n, MediaRows__Chunk ***rows)
{
        return db_list(tx, &DELETE_CHUNKS, DB_BINDS(bind_uuid(upload_id)), n, rows);
}
