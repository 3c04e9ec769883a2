/* Owns the SQL of checking media. */
#include "services/media/store_check.h"

static sn_status read_names(struct db_tx *tx, struct db_rows *rows, size_t *n, char ***names)
{
        *n = db_rows_count(rows);
        *names = ARENA_ARRAY(db_arena(tx), char *, *n + 1);
        for (size_t i = 0; i < *n; i++) {
                (*names)[i] = arena_strdup(db_arena(tx), db_text(rows, i, "name"));
        }
        return SN_OK;
}

/* $2 is greater than all values that begin with $1. */
#define BETWEEN(column) column " >= decode($1, 'hex') and " column " < decode($2, 'hex')"

DB_STATEMENT(
    SELECT_REFERRED, "media_service", NULL,
    "select encode(sha, 'hex') as name from (select content_sha256 as sha from media_files"
    " where " BETWEEN("content_sha256") " union select sha256 from media_variants where " BETWEEN(
        "sha256") " union select f.upload_sha256 from media_files f join media_processing_jobs j on j.media_id = f.id"
                  " where " BETWEEN("f.upload_sha256") ") m");

sn_status store_referred(struct db_tx *tx, unsigned first_byte, size_t *n, char ***names)
{
        struct db_rows *rows = NULL;
        char *from = arena_printf(db_arena(tx), "%02x", first_byte);
        char *to = first_byte < 255 ? arena_printf(db_arena(tx), "%02x", first_byte + 1)
                                    : arena_printf(db_arena(tx), "%066d", 0);

        for (char *at = to; first_byte == 255 && *at != '\0'; at++) {
                *at = 'f'; /* a byte longer than any hash */
        }
        TRY(db_rows(tx, &SELECT_REFERRED, DB_BINDS(bind_text(from), bind_text(to)), &rows));
        return read_names(tx, rows, n, names);
}

DB_STATEMENT(SELECT_CHUNK_IDS, "media_service", NULL,
             "select id::text as name from upload_chunks"
             " where id > coalesce($1, '00000000-0000-0000-0000-000000000000'::uuid) order by id limit $2");

sn_status store_chunk_ids(struct db_tx *tx, const char *after, size_t limit, size_t *n, char ***ids)
{
        struct db_rows *rows = NULL;

        TRY(db_rows(tx, &SELECT_CHUNK_IDS, DB_BINDS(bind_uuid(after), bind_i64((int64_t)limit)), &rows));
        return read_names(tx, rows, n, ids);
}

DB_STATEMENT(
    SELECT_QUOTA_DIFFERENCES, "media_service", &media_rows__quota_difference__message,
    "with used as (select owner_id, sum(size_bytes)::bigint as bytes from"
    " (select distinct owner_id, upload_sha256, size_bytes from media_files) f group by owner_id),"
    " reserved as (select owner_id, sum(reserved_bytes)::bigint as bytes from upload_sessions group by owner_id),"
    " sums as (select coalesce(q.user_id, u.owner_id, r.owner_id) as user_id,"
    " coalesce(q.used_bytes, 0) as used_bytes, coalesce(q.reserved_bytes, 0) as reserved_bytes,"
    " coalesce(u.bytes, 0) as used_sum, coalesce(r.bytes, 0) as reserved_sum from user_storage_quotas q"
    " full join used u on u.owner_id = q.user_id"
    " full join reserved r on r.owner_id = coalesce(q.user_id, u.owner_id))"
    " select * from sums where used_bytes <> used_sum or reserved_bytes <> reserved_sum limit 1000");

sn_status store_quota_differences(struct db_tx *tx, size_t *n, MediaRows__QuotaDifference ***rows)
{
        return db_list(tx, &SELECT_QUOTA_DIFFERENCES, DB_NO_BINDS, n, rows);
}
