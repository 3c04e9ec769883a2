/* Owns the SQL that writes notes and reads complete ones. */
#include "services/note/store.h"

DB_STATEMENT(INSERT_NOTES, "note_service", NULL,
             "insert into notes (id, author_id, text, visibility, parent_id, renote_of_id, created_at)"
             " select id, author_id, text, visibility, parent_id, renote_of_id,"
             " timestamptz 'epoch' + created_ms * interval '1 millisecond' from unnest($1::uuid[], $2::uuid[],"
             " $3::text[], $4::bigint[], $5::uuid[], $6::uuid[], $7::bigint[])"
             " as n (id, author_id, text, visibility, parent_id, renote_of_id, created_ms)");
DB_STATEMENT(INSERT_AUDIENCE, "note_service", NULL,
             "insert into note_visibility (note_id, audience, owner_id, narrowed) values ($1, $2, $3, $4)");
DB_STATEMENT(INSERT_COMMENT, "note_service", NULL,
             "insert into note_comments (note_id, parent_id, root_id, counted) values ($1, $2, $3, $4)");
/* With what lists of a tag ask about each note, so that they need not look at the notes. "limit 1" makes that one
 * look-up by index for each tag, also in a plan that was made while there were no notes. */
DB_STATEMENT(INSERT_HASHTAGS, "note_service", NULL,
             "insert into note_hashtags (tag_key, note_id, tag, position, author_id, public, removed)"
             " select key, t.note_id, tag, place, n.author_id, n.visibility = 1, c.removed_by is not null"
             " from unnest($1::uuid[], $2::text[], $3::text[], $4::bigint[]) as t (note_id, key, tag, place)"
             " cross join lateral (select author_id, visibility from notes where id = t.note_id limit 1) n"
             " left join lateral (select removed_by from note_comments where note_id = t.note_id limit 1) c on true");
DB_STATEMENT(
    INSERT_MENTIONS, "note_service", NULL,
    "insert into note_mentions (note_id, user_id, username, position)"
    " select $1::uuid, id, name, place from unnest($2::uuid[], $3::text[]) with ordinality as t (id, name, place)"
    " on conflict do nothing");

DB_STATEMENT(INSERT_MEDIA, "note_service", NULL,
             "insert into note_media (note_id, media_id, position)"
             " select $1::uuid, id, place from unnest($2::uuid[]) with ordinality as m (id, place)");

static sn_status insert_media(struct db_tx *tx, const struct draft *draft)
{
        if (draft->n_media_ids == 0) {
                return SN_OK;
        }
        return db_exec_later(tx, &INSERT_MEDIA,
                             DB_BINDS(bind_uuid(draft->id), bind_uuids(draft->media_ids, draft->n_media_ids)));
}

static sn_status insert_hashtags(struct db_tx *tx, const struct draft *const *drafts, size_t n_drafts)
{
        size_t room = 0, n = 0;

        for (size_t i = 0; i < n_drafts; i++) {
                room += drafts[i]->entities.n_hashtags;
        }
        if (room == 0) {
                return SN_OK;
        }
        char **ids = ARENA_ARRAY(db_arena(tx), char *, room), **keys = ARENA_ARRAY(db_arena(tx), char *, room);
        char **tags = ARENA_ARRAY(db_arena(tx), char *, room);
        int64_t *places = ARENA_ARRAY(db_arena(tx), int64_t, room);

        for (size_t i = 0; i < n_drafts; i++) {
                for (size_t k = 0; k < drafts[i]->entities.n_hashtags; k++, n++) {
                        ids[n] = drafts[i]->id;
                        keys[n] = drafts[i]->entities.hashtags[k].key;
                        tags[n] = drafts[i]->entities.hashtags[k].text;
                        places[n] = (int64_t)k + 1;
                }
        }
        return db_exec_later(
            tx, &INSERT_HASHTAGS,
            DB_BINDS(bind_uuids(ids, n), bind_texts(keys, n), bind_texts(tags, n), bind_i64s(places, n)));
}

static sn_status insert_mentions(struct db_tx *tx, const struct draft *draft)
{
        size_t n = draft->n_mentions;
        char **ids = ARENA_ARRAY(db_arena(tx), char *, n);
        char **names = ARENA_ARRAY(db_arena(tx), char *, n);

        if (n == 0) {
                return SN_OK;
        }
        for (size_t i = 0; i < n; i++) {
                ids[i] = draft->mentions[i]->id;
                names[i] = draft->mentions[i]->username;
        }
        return db_exec_later(tx, &INSERT_MENTIONS,
                             DB_BINDS(bind_uuid(draft->id), bind_uuids(ids, n), bind_texts(names, n)));
}

static sn_status insert_rows(struct db_tx *tx, const struct draft *const *drafts, size_t n)
{
        struct arena *arena = db_arena(tx);
        char **ids = ARENA_ARRAY(arena, char *, n), **authors = ARENA_ARRAY(arena, char *, n);
        char **texts = ARENA_ARRAY(arena, char *, n), **parents = ARENA_ARRAY(arena, char *, n);
        char **renoted = ARENA_ARRAY(arena, char *, n);
        int64_t *visibilities = ARENA_ARRAY(arena, int64_t, n), *created_ms = ARENA_ARRAY(arena, int64_t, n);

        for (size_t i = 0; i < n; i++) {
                ids[i] = drafts[i]->id;
                authors[i] = (char *)drafts[i]->author_id;
                texts[i] = (char *)drafts[i]->text;
                visibilities[i] = drafts[i]->visibility;
                parents[i] = (char *)drafts[i]->parent_id;
                renoted[i] = (char *)drafts[i]->renote_of_id;
                created_ms[i] = drafts[i]->created_ms;
        }
        return db_exec_later(tx, &INSERT_NOTES,
                             DB_BINDS(bind_uuids(ids, n), bind_uuids(authors, n), bind_texts(texts, n),
                                      bind_i64s(visibilities, n), bind_uuids(parents, n), bind_uuids(renoted, n),
                                      bind_i64s(created_ms, n)));
}

/* What few notes have. */
static sn_status insert_particulars(struct db_tx *tx, const struct draft *draft)
{
        if (draft->visibility != NOTE__VISIBILITY__VISIBILITY_PUBLIC) {
                TRY(db_exec_later(tx, &INSERT_AUDIENCE,
                                  DB_BINDS(bind_uuid(draft->id), bind_i64(draft->visibility),
                                           bind_uuid(draft->audience_owner), bind_bool(draft->narrowed))));
        }
        if (draft->parent_id[0] != '\0') {
                TRY(db_exec_later(tx, &INSERT_COMMENT,
                                  DB_BINDS(bind_uuid(draft->id), bind_uuid(draft->parent_id), bind_uuid(draft->root_id),
                                           bind_bool(!draft->uncounted))));
        }
        TRY(insert_media(tx, draft));
        return insert_mentions(tx, draft);
}

sn_status store_insert_notes(struct db_tx *tx, const struct draft *const *drafts, size_t n)
{
        TRY(insert_rows(tx, drafts, n));
        for (size_t i = 0; i < n; i++) {
                TRY(insert_particulars(tx, drafts[i]));
        }
        return insert_hashtags(tx, drafts, n);
}

DB_STATEMENT(UPDATE_TEXT, "note_service", NULL,
             "update notes set text = $3, edited_at = $4, version = version + 1"
             " where id = $1 and author_id = $2 and deleted_at is null and renote_of_id is null returning version");
DB_STATEMENT(DELETE_HASHTAGS, "note_service", NULL, "delete from note_hashtags where note_id = $1");
DB_STATEMENT(DELETE_MENTIONS, "note_service", NULL, "delete from note_mentions where note_id = $1");

sn_status store_update_text(struct db_tx *tx, const struct draft *draft, int64_t *version)
{
        struct db_rows *rows = NULL;

        TRY(db_rows(tx, &UPDATE_TEXT,
                    DB_BINDS(bind_uuid(draft->id), bind_uuid(draft->author_id), bind_text(draft->text),
                             bind_time_ms(db_call(tx)->now_ms)),
                    &rows));
        if (db_rows_count(rows) == 0) {
                return rpc_fail(db_call(tx), SN_NOT_FOUND, "id", "you have no note with this id");
        }
        *version = db_i64(rows, 0, "version");
        TRY(db_exec(tx, &DELETE_HASHTAGS, DB_BINDS(bind_uuid(draft->id)), NULL));
        TRY(db_exec(tx, &DELETE_MENTIONS, DB_BINDS(bind_uuid(draft->id)), NULL));
        TRY(insert_hashtags(tx, &draft, 1));
        return insert_mentions(tx, draft);
}

DB_STATEMENT(DELETE_NOTE, "note_service", NULL,
             "update notes set deleted_at = now(), version = version + 1 where id = $1 and author_id = $2 and "
             "deleted_at is null returning exists (select from note_media where note_id = id) as shows_media");

sn_status store_delete_note(struct db_tx *tx, const char *id, const char *author_id, bool *deleted, bool *shows_media)
{
        struct db_rows *rows = NULL;

        TRY(db_rows(tx, &DELETE_NOTE, DB_BINDS(bind_uuid(id), bind_uuid(author_id)), &rows));
        *deleted = db_rows_count(rows) > 0;
        if (shows_media != NULL) {
                *shows_media = *deleted && db_i64(rows, 0, "shows_media") != 0;
        }
        return db_exec(tx, &DELETE_HASHTAGS, DB_BINDS(bind_uuid(id)), NULL);
}

DB_STATEMENT(LOCK_COMMENT, "note_service", NULL,
             "with recursive up (id, depth) as (select parent_id, 1 from note_comments where note_id = $1"
             " union all select c.parent_id, up.depth + 1 from up join note_comments c on c.note_id = up.id where "
             "up.depth < 100)"
             " select c.root_id = $2 or exists (select from up where id = $2) as below"
             " from notes n join note_comments c on c.note_id = n.id where n.id = $1 and n.deleted_at is null"
             " for update of n");

sn_status store_lock_comment(struct db_tx *tx, const char *id, const char *note_id, bool *below)
{
        struct db_rows *rows = NULL;

        TRY(db_rows(tx, &LOCK_COMMENT, DB_BINDS(bind_uuid(id), bind_uuid(note_id)), &rows));
        *below = db_rows_count(rows) > 0 && db_i64(rows, 0, "below") != 0;
        return SN_OK;
}

DB_STATEMENT(REMOVE_COMMENT, "note_service", NULL,
             "update note_comments set removed_by = $2 where note_id = $1 and removed_by is null returning counted");

sn_status store_remove_comment(struct db_tx *tx, const char *id, bool *removed, bool *counted)
{
        struct db_rows *rows = NULL;

        TRY(db_rows(tx, &REMOVE_COMMENT, DB_BINDS(bind_uuid(id), bind_uuid(db_call(tx)->actor)), &rows));
        *removed = db_rows_count(rows) > 0;
        *counted = *removed && db_i64(rows, 0, "counted") != 0;
        return SN_OK;
}

DB_STATEMENT(SELECT_COUNTED, "note_service", NULL,
             "select 1 as counts from note_comments where note_id = $1 and counted and removed_by is null");

sn_status store_is_counted(struct db_tx *tx, const char *id, bool *counted)
{
        struct db_rows *rows = NULL;

        TRY(db_rows(tx, &SELECT_COUNTED, DB_BINDS(bind_uuid(id)), &rows));
        *counted = db_rows_count(rows) > 0;
        return SN_OK;
}

/* All of a note that does not depend on the reader. */
#define NOTES_WHOLE                                                                                                    \
        "select n.id as \"note.id\", n.author_id as \"note.author.id\", n.text as \"note.text\", n.visibility as "     \
        "\"note.visibility\","                                                                                         \
        " n.created_at as \"note.created_at\", n.edited_at as \"note.edited_at\", n.parent_id as \"note.parent_id\","  \
        " n.renote_of_id, n.version, v.owner_id as audience_owner_id, coalesce(v.narrowed, false) as narrowed, "       \
        "c.root_id,"                                                                                                   \
        " c.removed_by is not null as removed,"                                                                        \
        " coalesce(s.likes, 0) as \"note.counts.likes\", coalesce(s.renotes, 0) as \"note.counts.renotes\","           \
        " coalesce(s.comments, 0) as \"note.counts.comments\", coalesce(s.bookmarks, 0) as \"note.counts.bookmarks\"," \
        " h.tags as \"note.hashtags\", a.ids as media_ids, m.ids as mention_ids, m.names as mention_usernames"         \
        " from notes n left join note_visibility v on v.note_id = n.id left join note_comments c on c.note_id = n.id"  \
        " left join lateral (select sum(likes)::bigint as likes, sum(renotes)::bigint as renotes, "                    \
        "sum(comments)::bigint as "                                                                                    \
        "comments,"                                                                                                    \
        " sum(bookmarks)::bigint as bookmarks from note_stats where note_id = n.id) s on true"                         \
        " left join lateral (select array_agg(tag order by position) as tags from note_hashtags where note_id = "      \
        "n.id) h on "                                                                                                  \
        "true"                                                                                                         \
        " left join lateral (select array_agg(user_id order by position) as ids, array_agg(username order by "         \
        "position) as "                                                                                                \
        "names"                                                                                                        \
        " from note_mentions where note_id = n.id) m on true"                                                          \
        " left join lateral (select array_agg(media_id order by position) as ids from note_media where note_id = "     \
        "n.id)"                                                                                                        \
        " a on true"

DB_STATEMENT(SELECT_NOTES, "note_service", &note_rows__stored_note__message,
             NOTES_WHOLE " where n.id = any($1::uuid[]) and n.deleted_at is null");
DB_STATEMENT(SELECT_DELETED_NOTES, "note_service", &note_rows__stored_note__message,
             NOTES_WHOLE " where n.id = any($1::uuid[]) and (n.deleted_at is not null or c.removed_by is not null)");

sn_status store_notes(struct db_tx *tx, char **ids, size_t n, size_t *n_rows, NoteRows__StoredNote ***rows)
{
        return db_list(tx, &SELECT_NOTES, DB_BINDS(bind_uuids(ids, n)), n_rows, rows);
}

sn_status store_deleted_notes(struct db_tx *tx, char **ids, size_t n, size_t *n_rows, NoteRows__StoredNote ***rows)
{
        return db_list(tx, &SELECT_DELETED_NOTES, DB_BINDS(bind_uuids(ids, n)), n_rows, rows);
}
