/* Owns the SQL of lists: IDs by keyset, never offsets. */
#include "services/note/store.h"

static struct db_bind beyond(const struct page_scan *scan)
{
        return bind_uuid(page_beyond_id(scan));
}

/* The newest notes of many authors, without reading `limit` of each. First an equal share per author and audience;
 * then, for those with more than their share, everything newer than the last of the `limit` best found so far:
 * nothing beyond it can be in the result. Each is an index probe; authors with few notes cost one. Renotes of
 * deleted notes are left out. */
/* clang-format off */
#define PROBE(author, audience, condition, direction, most)                                                            \
        "(select p.id, r.author_id as renoted_author_id, row_number() over (order by p.id " direction ") as place"     \
        " from notes p left join notes r on r.id = p.renote_of_id"                                                     \
        " where p.author_id = " author " and p.visibility = " audience " and " condition                               \
        " and p.deleted_at is null and p.parent_id is null"                                                            \
        " and (p.renote_of_id is null or (r.deleted_at is null and r.author_id <> all($4::uuid[])))"                   \
        " order by p.id " direction " limit " most ")"
#define IDS_BY_AUTHORS(comparison, opposite, direction, furthest)                                                      \
        "with share (size) as materialized (select 1 + 2 * $5::bigint / greatest(cardinality($1::uuid[]), 1)),"        \
        " first as materialized (select n.id, a.author_id, v.visibility, n.renoted_author_id, n.place"                 \
        " from unnest($1::uuid[]) as a (author_id) cross join unnest($2::bigint[]) as v (visibility)"                  \
        " cross join lateral "                                                                                         \
        PROBE("a.author_id", "v.visibility", "p.id " comparison " $3::uuid", direction,                                \
              "least($5::bigint, (select size from share))") " n),"                                                    \
        " cut (id) as materialized (select coalesce("                                                                  \
        "(select id from first order by id " direction " offset $5::bigint - 1 limit 1), '" furthest "')),"            \
        " refill as (select n.id, f.author_id, n.renoted_author_id from first f cross join cut cross join lateral "    \
        PROBE("f.author_id", "f.visibility", "p.id " comparison " f.id and p.id " opposite " cut.id", direction,       \
              "$5::bigint") " n where f.place = (select size from share) and f.id " opposite " cut.id)"                \
        " select id, author_id, renoted_author_id from first union all select id, author_id, renoted_author_id"        \
        " from refill order by id " direction " limit $5"
/* clang-format on */

DB_STATEMENT(SELECT_IDS_AFTER, "note_service", &note__note_ref__message,
             "select id, author_id from notes where id > $1 and deleted_at is null order by id limit $2");

sn_status store_ids_after(struct db_tx *tx, const char *after_id, size_t limit, size_t *n, Note__NoteRef ***refs)
{
        return db_list(tx, &SELECT_IDS_AFTER, DB_BINDS(bind_uuid(after_id), bind_i64((int64_t)limit)), n, refs);
}

DB_STATEMENT(SELECT_IDS_BY_AUTHORS, "note_service", &note__note_ref__message,
             IDS_BY_AUTHORS("<", ">", "desc", "00000000-0000-0000-0000-000000000000"));
DB_STATEMENT(SELECT_IDS_BY_AUTHORS_AFTER, "note_service", &note__note_ref__message,
             IDS_BY_AUTHORS(">", "<", "asc", "ffffffff-ffff-ffff-ffff-ffffffffffff"));

/* From the widest to the narrowest. */
static const int64_t audiences[] = {NOTE__VISIBILITY__VISIBILITY_PUBLIC, NOTE__VISIBILITY__VISIBILITY_FOLLOWERS,
                                    NOTE__VISIBILITY__VISIBILITY_ONLY_ME};

sn_status store_ids_by_authors(struct db_tx *tx, char **authors, size_t n_authors, int seen_as,
                               const struct page_scan *scan, size_t *n, Note__NoteRef ***refs)
{
        return db_list(tx, scan->newer ? &SELECT_IDS_BY_AUTHORS_AFTER : &SELECT_IDS_BY_AUTHORS,
                       DB_BINDS(bind_uuids(authors, n_authors), bind_i64s(audiences, (size_t)seen_as), beyond(scan),
                                bind_uuids(scan->except, scan->n_except), bind_i64((int64_t)scan->limit)),
                       n, refs);
}

DB_STATEMENT(SELECT_NEWEST_IDS, "note_service", &note__note_ref__message,
             "select n.id, a.author_id from unnest($1::uuid[]) as a (author_id)"
             " cross join unnest($2::bigint[]) as v (visibility) cross join lateral (select p.id from notes p"
             " where p.author_id = a.author_id and p.visibility = v.visibility and p.deleted_at is null"
             " and p.parent_id is null order by p.id desc limit 1) n");

sn_status store_newest_ids(struct db_tx *tx, char **authors, size_t n_authors, int seen_as, size_t *n,
                           Note__NoteRef ***refs)
{
        return db_list(tx, &SELECT_NEWEST_IDS,
                       DB_BINDS(bind_uuids(authors, n_authors), bind_i64s(audiences, (size_t)seen_as)), n, refs);
}

/* Lists of IDs from an index of visible notes and their authors; removed comments are visible only to their author. */
#define SHOWN_IDS(from, comparison, direction)                                                                         \
        "select note_id as id, author_id from " from " and note_id " comparison                                        \
        " $2 and author_id <> all($3::uuid[]) and (not removed or author_id = $4) order by note_id " direction         \
        " limit $5"

static sn_status list_shown(struct db_tx *tx, const struct db_statement *s, struct db_bind key, const char *viewer,
                            const struct page_scan *scan, size_t *n, Note__NoteRef ***refs)
{
        return db_list(tx, s,
                       DB_BINDS(key, beyond(scan), bind_uuids(scan->except, scan->n_except), bind_uuid(viewer),
                                bind_i64((int64_t)scan->limit)),
                       n, refs);
}

DB_STATEMENT(SELECT_IDS_BY_HASHTAG, "note_service", &note__note_ref__message,
             SHOWN_IDS("note_hashtags where tag_key = $1 and public", "<", "desc"));
DB_STATEMENT(SELECT_IDS_BY_HASHTAG_AFTER, "note_service", &note__note_ref__message,
             SHOWN_IDS("note_hashtags where tag_key = $1 and public", ">", "asc"));

sn_status store_ids_by_hashtag(struct db_tx *tx, const char *tag_key, const char *viewer, const struct page_scan *scan,
                               size_t *n, Note__NoteRef ***refs)
{
        return list_shown(tx, scan->newer ? &SELECT_IDS_BY_HASHTAG_AFTER : &SELECT_IDS_BY_HASHTAG, bind_text(tag_key),
                          viewer, scan, n, refs);
}

DB_STATEMENT(SELECT_COMMENT_IDS, "note_service", &note__note_ref__message,
             SHOWN_IDS("note_comments where parent_id = $1 and not deleted", ">", "asc"));

sn_status store_comment_ids(struct db_tx *tx, const char *parent_id, const struct page_scan *scan, size_t *n,
                            Note__NoteRef ***refs)
{
        return list_shown(tx, &SELECT_COMMENT_IDS, bind_uuid(parent_id), db_call(tx)->actor, scan, n, refs);
}

DB_STATEMENT(SELECT_BELOW_ROOT, "note_service", &note__note_ref__message,
             SHOWN_IDS("note_comments where root_id = $1 and not deleted", ">", "asc"));
DB_STATEMENT(SELECT_BELOW_COMMENT, "note_service", &note__note_ref__message,
             SHOWN_IDS("note_threads where ancestor_id = $1", ">", "asc"));

sn_status store_descendants(struct db_tx *tx, const char *id, bool root, const struct page_scan *scan, size_t *n,
                            Note__NoteRef ***refs)
{
        return list_shown(tx, root ? &SELECT_BELOW_ROOT : &SELECT_BELOW_COMMENT, bind_uuid(id), db_call(tx)->actor,
                          scan, n, refs);
}

#define BOOKMARKS(comparison, direction)                                                                               \
        "select b.note_id, n.author_id, b.created_at as created_at_ms from note_bookmarks b"                           \
        " join notes n on n.id = b.note_id and n.deleted_at is null"                                                   \
        " where b.user_id = $1 and (b.created_at, b.note_id) " comparison " ($2, $3) order by b.created_at " direction \
        ", b.note_id " direction " limit $4"

DB_STATEMENT(SELECT_BOOKMARKS, "note_service", &note_rows__bookmark__message, BOOKMARKS("<", "desc"));
DB_STATEMENT(SELECT_BOOKMARKS_AFTER, "note_service", &note_rows__bookmark__message, BOOKMARKS(">", "asc"));

sn_status store_bookmarks(struct db_tx *tx, const char *user_id, const struct page_scan *scan, size_t *n,
                          NoteRows__Bookmark ***rows)
{
        return db_list(tx, scan->newer ? &SELECT_BOOKMARKS_AFTER : &SELECT_BOOKMARKS,
                       DB_BINDS(bind_uuid(user_id), bind_time_ms(page_beyond_ms(scan)), beyond(scan),
                                bind_i64((int64_t)scan->limit)),
                       n, rows);
}

DB_STATEMENT(SELECT_BOOKMARK, "note_service", &note_rows__bookmark__message,
             "select note_id, created_at as created_at_ms from note_bookmarks where user_id = $1 and note_id = $2");

sn_status store_bookmark(struct db_tx *tx, const char *user_id, const char *note_id, NoteRows__Bookmark *row,
                         bool *found)
{
        return db_one(tx, &SELECT_BOOKMARK, DB_BINDS(bind_uuid(user_id), bind_uuid(note_id)), &row->base, found);
}

DB_STATEMENT(SELECT_ANCESTORS, "note_service", &note__note_ref__message,
             "with recursive up (id, depth) as (select parent_id, 1 from note_comments where note_id = $1"
             " union all select c.parent_id, up.depth + 1 from up join note_comments c on c.note_id = up.id where "
             "up.depth < 100)"
             " select id from up order by depth desc");

sn_status store_ancestors(struct db_tx *tx, const char *id, size_t *n, Note__NoteRef ***refs)
{
        return db_list(tx, &SELECT_ANCESTORS, DB_BINDS(bind_uuid(id)), n, refs);
}

DB_STATEMENT(SELECT_RENOTERS, "note_service", &note_rows__renoters__message,
             "select i.id as note_id, r.renote_ids, r.user_ids from unnest($1::uuid[]) as i (id) cross join lateral"
             " (select array_agg(id order by id desc) as renote_ids, array_agg(author_id order by id desc) as user_ids"
             " from (select id, author_id from notes where renote_of_id = i.id and deleted_at is null"
             " order by id desc limit 50) newest) r where r.renote_ids is not null");

sn_status store_renoters(struct db_tx *tx, char **ids, size_t n, size_t *n_rows, NoteRows__Renoters ***rows)
{
        return db_list(tx, &SELECT_RENOTERS, DB_BINDS(bind_uuids(ids, n)), n_rows, rows);
}
