/* Owns the SQL of lists: ids by keyset, never offsets. */
#include "services/note/store.h"

#define LAST_ID  "ffffffff-ffff-ffff-ffff-ffffffffffff"
#define FIRST_ID "00000000-0000-0000-0000-000000000000"

static struct db_bind before(const char *id)
{
        return bind_uuid(id[0] != '\0' ? id : LAST_ID);
}

static struct db_bind after(const char *id)
{
        return bind_uuid(id[0] != '\0' ? id : FIRST_ID);
}

/* One index probe an author, whatever the number of their notes. */
DB_STATEMENT(
    SELECT_IDS_BY_AUTHORS, "note_service", &note__note_ref__descriptor,
    "select n.id, a.author_id from unnest($1::uuid[]) as a (author_id) cross join lateral"
    " (select id from notes where author_id = a.author_id and id < $2 and deleted_at is null and parent_id is null"
    " order by id desc limit $3) n order by n.id desc limit $3");

sn_status store_ids_by_authors(struct db_tx *tx, char **authors, size_t n_authors, const char *before_id, size_t limit,
                               size_t *n, Note__NoteRef ***refs)
{
        return db_list(tx, &SELECT_IDS_BY_AUTHORS,
                       DB_BINDS(bind_uuids(authors, n_authors), before(before_id), bind_i64((int64_t)limit)), n, refs);
}

DB_STATEMENT(SELECT_IDS_BY_HASHTAG, "note_service", &note__note_ref__descriptor,
             "select h.note_id as id, n.author_id from note_hashtags h join notes n on n.id = h.note_id"
             " where h.tag_key = $1 and h.note_id < $2 and n.visibility = 1 and n.deleted_at is null order by "
             "h.note_id desc limit $3");

sn_status store_ids_by_hashtag(struct db_tx *tx, const char *tag_key, const char *before_id, size_t limit, size_t *n,
                               Note__NoteRef ***refs)
{
        return db_list(tx, &SELECT_IDS_BY_HASHTAG,
                       DB_BINDS(bind_text(tag_key), before(before_id), bind_i64((int64_t)limit)), n, refs);
}

DB_STATEMENT(SELECT_COMMENT_IDS, "note_service", &note__note_ref__descriptor,
             "select note_id as id from note_comments where parent_id = $1 and note_id > $2 order by note_id limit $3");

sn_status store_comment_ids(struct db_tx *tx, const char *parent_id, const char *after_id, size_t limit, size_t *n,
                            Note__NoteRef ***refs)
{
        return db_list(tx, &SELECT_COMMENT_IDS,
                       DB_BINDS(bind_uuid(parent_id), after(after_id), bind_i64((int64_t)limit)), n, refs);
}

DB_STATEMENT(SELECT_BOOKMARKS, "note_service", &note_rows__bookmark__descriptor,
             "select note_id, created_at as created_at_ms from note_bookmarks where user_id = $1 and (created_at, "
             "note_id) < ($2, $3)"
             " order by created_at desc, note_id desc limit $4");

/* The far future: PostgreSQL takes it, and no bookmark is later. */
#define LATEST_MS INT64_C(32503680000000)

sn_status store_bookmarks(struct db_tx *tx, const char *user_id, int64_t before_ms, const char *before_id, size_t limit,
                          size_t *n, NoteRows__Bookmark ***rows)
{
        return db_list(tx, &SELECT_BOOKMARKS,
                       DB_BINDS(bind_uuid(user_id), bind_time_ms(before_ms != 0 ? before_ms : LATEST_MS),
                                before(before_id), bind_i64((int64_t)limit)),
                       n, rows);
}

DB_STATEMENT(SELECT_ANCESTORS, "note_service", &note__note_ref__descriptor,
             "with recursive up (id, depth) as (select parent_id, 1 from note_comments where note_id = $1"
             " union all select c.parent_id, up.depth + 1 from up join note_comments c on c.note_id = up.id where "
             "up.depth < 100)"
             " select id from up order by depth desc");

sn_status store_ancestors(struct db_tx *tx, const char *id, size_t *n, Note__NoteRef ***refs)
{
        return db_list(tx, &SELECT_ANCESTORS, DB_BINDS(bind_uuid(id)), n, refs);
}

DB_STATEMENT(SELECT_BELOW_ROOT, "note_service", &note__note_ref__descriptor,
             "select note_id as id from note_comments where root_id = $1 and note_id > $2 order by note_id limit $3");
DB_STATEMENT(SELECT_BELOW_COMMENT, "note_service", &note__note_ref__descriptor,
             "with recursive down (id) as (select note_id from note_comments where parent_id = $1"
             " union all select c.note_id from down join note_comments c on c.parent_id = down.id)"
             " select id from down where id > $2 order by id limit $3");

sn_status store_descendants(struct db_tx *tx, const char *id, bool root, const char *after_id, size_t limit, size_t *n,
                            Note__NoteRef ***refs)
{
        return db_list(tx, root ? &SELECT_BELOW_ROOT : &SELECT_BELOW_COMMENT,
                       DB_BINDS(bind_uuid(id), after(after_id), bind_i64((int64_t)limit)), n, refs);
}

DB_STATEMENT(SELECT_RENOTERS, "note_service", &note_rows__renoters__descriptor,
             "select i.id as note_id, r.renote_ids, r.user_ids from unnest($1::uuid[]) as i (id) cross join lateral"
             " (select array_agg(id order by id desc) as renote_ids, array_agg(author_id order by id desc) as user_ids"
             " from (select id, author_id from notes where renote_of_id = i.id and deleted_at is null"
             " order by id desc limit 50) newest) r where r.renote_ids is not null");

sn_status store_renoters(struct db_tx *tx, char **ids, size_t n, size_t *n_rows, NoteRows__Renoters ***rows)
{
        return db_list(tx, &SELECT_RENOTERS, DB_BINDS(bind_uuids(ids, n)), n_rows, rows);
}
