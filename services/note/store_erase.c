/* Owns the SQL for erasing a member. */
#include "services/note/store.h"

/* The ID of erased members. */
#define NOBODY "'00000000-0000-0000-0000-000000000000'"

static sn_status list_ids(struct db_tx *tx, const struct db_statement *s, const char *user_id, size_t limit, size_t *n,
                          char ***ids)
{
        struct db_rows *rows = NULL;

        TRY(db_rows(tx, s, DB_BINDS(bind_uuid(user_id), bind_i64((int64_t)limit)), &rows));
        *n = db_rows_count(rows);
        *ids = ARENA_ARRAY(db_arena(tx), char *, *n);
        for (size_t i = 0; i < *n; i++) {
                (*ids)[i] = (char *)db_text(rows, i, "id");
        }
        return SN_OK;
}

DB_STATEMENT(SELECT_WRITTEN, "note_service", NULL,
             "select id from notes where author_id = $1 and deleted_at is null limit $2");

sn_status store_written(struct db_tx *tx, const char *user_id, size_t limit, size_t *n, char ***ids)
{
        return list_ids(tx, &SELECT_WRITTEN, user_id, limit, n, ids);
}

DB_STATEMENT(SELECT_LIKED, "note_service", NULL, "select note_id as id from note_likes where user_id = $1 limit $2");

sn_status store_liked(struct db_tx *tx, const char *user_id, size_t limit, size_t *n, char ***ids)
{
        return list_ids(tx, &SELECT_LIKED, user_id, limit, n, ids);
}

DB_STATEMENT(SELECT_BOOKMARKED, "note_service", NULL,
             "select note_id as id from note_bookmarks where user_id = $1 limit $2");

sn_status store_bookmarked(struct db_tx *tx, const char *user_id, size_t limit, size_t *n, char ***ids)
{
        return list_ids(tx, &SELECT_BOOKMARKED, user_id, limit, n, ids);
}

/* The new version keeps readers from caching the row that they read before over the one read afterwards. */
#define REDACT " update notes set version = version + 1 where id in (select note_id from erased) returning id"

DB_STATEMENT(ERASE_MENTIONS, "note_service", NULL,
             "with erased as (delete from note_mentions where user_id = $1 and note_id in (select note_id from"
             " note_mentions where user_id = $1 limit $2) returning note_id)" REDACT);

sn_status store_erase_mentions(struct db_tx *tx, const char *user_id, size_t limit, size_t *n, char ***ids)
{
        return list_ids(tx, &ERASE_MENTIONS, user_id, limit, n, ids);
}

DB_STATEMENT(ERASE_AUDIENCE, "note_service", NULL,
             "with erased as (update note_visibility set owner_id = " NOBODY " where note_id in (select note_id from"
             " note_visibility where owner_id = $1 limit $2) returning note_id)" REDACT);

sn_status store_erase_audience(struct db_tx *tx, const char *user_id, size_t limit, size_t *n, char ***ids)
{
        return list_ids(tx, &ERASE_AUDIENCE, user_id, limit, n, ids);
}

DB_STATEMENT(ERASE_TEXTS, "note_service", NULL,
             "with erased as (select id from notes where author_id = $1 and deleted_at is not null limit $2),"
             " comments as (update note_comments set author_id = " NOBODY " where note_id in (select id from erased))"
             " update notes set author_id = " NOBODY ", text = '' where id in (select id from erased)");

sn_status store_erase_texts(struct db_tx *tx, const char *user_id, size_t limit, size_t *n)
{
        int64_t affected = 0;

        TRY(db_exec(tx, &ERASE_TEXTS, DB_BINDS(bind_uuid(user_id), bind_i64((int64_t)limit)), &affected));
        *n = (size_t)affected;
        return SN_OK;
}

DB_STATEMENT(ERASE_REMOVALS, "note_service", NULL,
             "update note_comments set removed_by = " NOBODY " where removed_by = $1");
DB_STATEMENT(ERASE_KEYS, "note_service", NULL, "delete from idempotency_keys where actor_id = $1");

sn_status store_erase_removals(struct db_tx *tx, const char *user_id)
{
        TRY(db_exec(tx, &ERASE_REMOVALS, DB_BINDS(bind_uuid(user_id)), NULL));
        return db_exec(tx, &ERASE_KEYS, DB_BINDS(bind_uuid(user_id)), NULL);
}
