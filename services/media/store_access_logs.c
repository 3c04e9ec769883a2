/* Owns the SQL of the access log. */
#include "services/media/store_access_logs.h"

#include "services/cleanup.h"

DB_STATEMENT(INSERT_ACCESSES, "media_service", NULL,
             "insert into media_access_logs (id, media_id, owner_id, viewer_id, variant, is_granted, times, created_at)"
             " select id, media, owner, nullif(viewer, '')::uuid, variant, granted = 1, times,"
             " to_timestamp(at_ms / 1000.0) from unnest($1::uuid[], $2::uuid[], $3::uuid[], $4::text[], $5::text[],"
             " $6::bigint[], $7::bigint[], $8::bigint[])"
             " e (id, media, owner, viewer, variant, granted, times, at_ms)");

sn_status store_insert_accesses(struct db_tx *tx, const struct access_batch *batch)
{
        struct arena *arena = db_arena(tx);
        size_t n = batch->n;
        char **texts = ARENA_ARRAY(arena, char *, 5 * n);
        int64_t *numbers = ARENA_ARRAY(arena, int64_t, 3 * n);

        for (size_t i = 0; i < n; i++) {
                const struct access_entry *e = &batch->entries[i];

                texts[i] = uuid_new_in(arena);
                texts[n + i] = (char *)e->media_id;
                texts[2 * n + i] = (char *)e->owner_id;
                texts[3 * n + i] = (char *)e->viewer_id;
                texts[4 * n + i] = (char *)e->variant;
                numbers[i] = e->granted;
                numbers[n + i] = e->times;
                numbers[2 * n + i] = e->at_ms;
        }
        return db_exec(tx, &INSERT_ACCESSES,
                       DB_BINDS(bind_uuids(texts, n), bind_uuids(texts + n, n), bind_uuids(texts + 2 * n, n),
                                bind_texts(texts + 3 * n, n), bind_texts(texts + 4 * n, n), bind_i64s(numbers, n),
                                bind_i64s(numbers + n, n), bind_i64s(numbers + 2 * n, n)),
                       NULL);
}

#define LIST(comparison, direction)                                                                                    \
        "select id, viewer_id, variant, is_granted as granted, times, created_at from media_access_logs"               \
        " where media_id = $1 and id " comparison " $2 order by id " direction " limit $3"

DB_STATEMENT(LIST_ACCESSES, "media_service", &media_accesses__media_access__message, LIST("<", "desc"));
DB_STATEMENT(LIST_ACCESSES_AFTER, "media_service", &media_accesses__media_access__message, LIST(">", "asc"));

sn_status store_list_accesses(struct db_tx *tx, const char *media_id, const struct page_scan *scan, size_t *n,
                              MediaAccesses__MediaAccess ***rows)
{
        return db_list(tx, scan->newer ? &LIST_ACCESSES_AFTER : &LIST_ACCESSES,
                       DB_BINDS(bind_uuid(media_id), bind_uuid(page_beyond_id(scan)), bind_i64((int64_t)scan->limit)),
                       n, rows);
}

DB_STATEMENT(REMOVE_ACCESSES, "media_service", NULL,
             "with gone as (delete from media_access_logs where id = any(array(select id from media_access_logs"
             " where created_at < now() - interval '30 days' order by created_at limit $1 for update skip locked))"
             " returning 1) select count(*) as most from gone");

sn_status store_remove_accesses(struct rpc_call *c, bool *more)
{
        return cleanup_portion(c, &REMOVE_ACCESSES, more);
}

DB_STATEMENT(
    ERASE_ACCESSES, "media_service", NULL,
    "delete from media_access_logs where id in ((select id from media_access_logs where owner_id = $1 limit $2)"
    " union (select id from media_access_logs where viewer_id = $1 limit $2))");

sn_status store_erase_accesses(struct db_tx *tx, const char *member_id, size_t limit, size_t *n)
{
        int64_t gone = 0;

        TRY(db_exec(tx, &ERASE_ACCESSES, DB_BINDS(bind_uuid(member_id), bind_i64((int64_t)limit)), &gone));
        *n = (size_t)gone;
        return SN_OK;
}
