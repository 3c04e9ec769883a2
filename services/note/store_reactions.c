/* Owns the SQL for likes, renotes, bookmarks and counters. */
#include "services/note/store.h"

#include "base/clock.h"

#define COUNTER_SLOTS 16

static sn_status change(struct db_tx *tx, const struct db_statement *s, const char *user_id, const char *note_id,
                        bool *changed)
{
        int64_t affected = 0;

        TRY(db_exec(tx, s, DB_BINDS(bind_uuid(user_id), bind_uuid(note_id)), &affected));
        *changed = affected > 0;
        return SN_OK;
}

DB_STATEMENT(INSERT_LIKE, "note_service", NULL,
             "insert into note_likes (user_id, note_id) values ($1, $2) on conflict do nothing");

sn_status store_insert_like(struct db_tx *tx, const char *user_id, const char *note_id, bool *changed)
{
        return change(tx, &INSERT_LIKE, user_id, note_id, changed);
}

DB_STATEMENT(DELETE_LIKE, "note_service", NULL, "delete from note_likes where user_id = $1 and note_id = $2");

sn_status store_delete_like(struct db_tx *tx, const char *user_id, const char *note_id, bool *changed)
{
        return change(tx, &DELETE_LIKE, user_id, note_id, changed);
}

DB_STATEMENT(INSERT_BOOKMARK, "note_service", NULL,
             "insert into note_bookmarks (user_id, note_id, created_at) values ($1, $2, $3) on conflict do nothing");

/* The first half of the list's sort key, in whole milliseconds: drawn like an ID, within the call that commits it. */
sn_status store_insert_bookmark(struct db_tx *tx, const char *user_id, const char *note_id, bool *changed)
{
        int64_t affected = 0, at_ms = uuid_time_ms(uuid_new_in(db_arena(tx)));

        TRY(db_exec(tx, &INSERT_BOOKMARK, DB_BINDS(bind_uuid(user_id), bind_uuid(note_id), bind_time_ms(at_ms)),
                    &affected));
        *changed = affected > 0;
        return SN_OK;
}

DB_STATEMENT(DELETE_BOOKMARK, "note_service", NULL, "delete from note_bookmarks where user_id = $1 and note_id = $2");

sn_status store_delete_bookmark(struct db_tx *tx, const char *user_id, const char *note_id, bool *changed)
{
        return change(tx, &DELETE_BOOKMARK, user_id, note_id, changed);
}

DB_STATEMENT(INSERT_RENOTE, "note_service", NULL,
             "insert into note_renotes (user_id, note_id, renote_id, counted) values ($1, $2, $3, $4) on conflict "
             "(user_id, note_id) do nothing");

sn_status store_insert_renote(struct db_tx *tx, const struct draft *renote, bool *changed)
{
        int64_t affected = 0;

        TRY(db_exec(tx, &INSERT_RENOTE,
                    DB_BINDS(bind_uuid(renote->author_id), bind_uuid(renote->renote_of_id), bind_uuid(renote->id),
                             bind_bool(!renote->uncounted)),
                    &affected));
        *changed = affected > 0;
        return SN_OK;
}

DB_STATEMENT(DELETE_RENOTE, "note_service", NULL,
             "delete from note_renotes where user_id = $1 and note_id = $2 returning renote_id, counted");

sn_status store_delete_renote(struct db_tx *tx, const char *user_id, const char *note_id, const char **renote_id,
                              bool *counted)
{
        struct db_rows *rows = NULL;

        TRY(db_rows(tx, &DELETE_RENOTE, DB_BINDS(bind_uuid(user_id), bind_uuid(note_id)), &rows));
        *renote_id = db_rows_count(rows) > 0 ? db_text(rows, 0, "renote_id") : "";
        *counted = db_rows_count(rows) > 0 && db_i64(rows, 0, "counted") != 0;
        return SN_OK;
}

DB_STATEMENT(
    UPSERT_STATS, "note_service", NULL,
    "insert into note_stats as s (note_id, slot, likes, renotes, comments, bookmarks) values ($1, $2, $3, $4, $5, $6)"
    " on conflict (note_id, slot) do update set likes = s.likes + excluded.likes, renotes = s.renotes + "
    "excluded.renotes,"
    " comments = s.comments + excluded.comments, bookmarks = s.bookmarks + excluded.bookmarks");

sn_status store_count_reactions(struct db_tx *tx, const char *note_id, const Note__NoteCounts *delta)
{
        return db_exec(tx, &UPSERT_STATS,
                       DB_BINDS(bind_uuid(note_id), bind_i64(random_below(COUNTER_SLOTS)), bind_i64(delta->likes),
                                bind_i64(delta->renotes), bind_i64(delta->comments), bind_i64(delta->bookmarks)),
                       NULL);
}

DB_STATEMENT(SELECT_MARKS, "note_service", &note_rows__mark__message,
             "select o.id as note_id,"
             " exists (select from note_likes where user_id = o.viewer and note_id = o.id) as liked,"
             " exists (select from note_renotes where user_id = o.viewer and note_id = o.id) as renoted,"
             " exists (select from note_bookmarks where user_id = o.viewer and note_id = o.id) as bookmarked"
             " from unnest($1::uuid[], $2::uuid[]) with ordinality as o (viewer, id, place) order by o.place");

sn_status store_marks(struct db_tx *tx, char **viewers, char **ids, size_t n, size_t *n_rows, NoteRows__Mark ***rows)
{
        return db_list(tx, &SELECT_MARKS, DB_BINDS(bind_uuids(viewers, n), bind_uuids(ids, n)), n_rows, rows);
}

/* Likes and bookmarks are all counted; renotes of private accounts are not. */
DB_STATEMENT(SELECT_REACTED, "note_service", &note__note_ref__message,
             "select o.id from unnest($1::uuid[]) as o (id) where exists (select from note_stats where note_id = o.id"
             " and (likes <> 0 or bookmarks <> 0)) or exists (select from notes where renote_of_id = o.id"
             " and deleted_at is null)");

sn_status store_reacted(struct db_tx *tx, char **ids, size_t n, size_t *n_rows, Note__NoteRef ***rows)
{
        return db_list(tx, &SELECT_REACTED, DB_BINDS(bind_uuids(ids, n)), n_rows, rows);
}
