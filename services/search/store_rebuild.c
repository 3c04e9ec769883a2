/* Owns the SQL of the rebuild. */
#include "services/search/store_rebuild.h"

#include "services/search/rebuild.h"

DB_STATEMENT(
    ASK_REBUILD, "search_service", NULL,
    "update search_rebuild set after_id = '00000000-0000-0000-0000-000000000000', checked = 0, done_at = null");

sn_status rebuild_ask(struct db_tx *tx)
{
        return db_exec(tx, &ASK_REBUILD, DB_NO_BINDS, NULL);
}

/* ":pairs" is in every note that was indexed with its pairs of frequent words. The previous release, which may run
 * beside this one or come back for a while, does not write it, and so pairs are not searched for until all notes have
 * them. Waits after a rebuild, since its last words are counted some seconds later. */
DB_STATEMENT(ASK_PAIRS, "search_service", NULL,
             "update search_rebuild set after_id = '00000000-0000-0000-0000-000000000000', checked = 0, done_at = null"
             " where kind = 'notes' and done_at < now() - interval '10 minutes' and"
             " (select notes from search_words where word = ':all') is distinct from"
             " (select notes from search_words where word = ':pairs')");

sn_status store_ask_pairs(struct db_tx *tx)
{
        return db_exec(tx, &ASK_PAIRS, DB_NO_BINDS, NULL);
}

DB_STATEMENT(SELECT_REBUILDS, "search_service", &search_rows__rebuild__message,
             "select kind, after_id, checked, done_at is not null as done from search_rebuild order by kind");

sn_status rebuild_progress(struct db_tx *tx, size_t *n, SearchRows__Rebuild ***rows)
{
        return db_list(tx, &SELECT_REBUILDS, DB_NO_BINDS, n, rows);
}

/* Changes nothing if another process has already done this batch. */
DB_STATEMENT(
    ADVANCE_REBUILD, "search_service", NULL,
    "update search_rebuild set after_id = coalesce($3::uuid, after_id), checked = checked + $4,"
    " done_at = case when $3::uuid is null then now() end where kind = $1 and after_id = $2 and done_at is null");

sn_status store_advance_rebuild(struct db_tx *tx, const SearchRows__Rebuild *from, const char *last_id, size_t checked)
{
        return db_exec(
            tx, &ADVANCE_REBUILD,
            DB_BINDS(bind_text(from->kind), bind_uuid(from->after_id), bind_uuid(last_id), bind_i64((int64_t)checked)),
            NULL);
}

/* Keeps rows that an event wrote within the last minute, since they may be newer than the owner's answer. */
DB_STATEMENT(DELETE_STRAY_NOTES, "search_service", NULL,
             "delete from search_index where note_id > $1 and ($2::uuid is null or note_id <= $2)"
             " and note_id <> all($3::uuid[]) and created_at < now() - interval '1 minute'");

sn_status store_delete_stray_notes(struct db_tx *tx, const char *after_id, const char *last_id, char **ids, size_t n)
{
        return db_exec(tx, &DELETE_STRAY_NOTES, DB_BINDS(bind_uuid(after_id), bind_uuid(last_id), bind_uuids(ids, n)),
                       NULL);
}

DB_STATEMENT(SELECT_STRAY_MEMBERS, "search_service", &search_rows__member_id__message,
             "select user_id from search_members where user_id > $1 and ($2::uuid is null or user_id <= $2)"
             " and user_id <> all($3::uuid[]) order by user_id limit $4");

sn_status store_stray_members(struct db_tx *tx, const char *after_id, const char *last_id, char **ids, size_t n_ids,
                              size_t limit, size_t *n, SearchRows__MemberId ***rows)
{
        return db_list(
            tx, &SELECT_STRAY_MEMBERS,
            DB_BINDS(bind_uuid(after_id), bind_uuid(last_id), bind_uuids(ids, n_ids), bind_i64((int64_t)limit)), n,
            rows);
}
