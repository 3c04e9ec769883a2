/* Owns the SQL of writing the index. */
#include "services/search/store.h"

#include "services/search/rank.h"
#include "services/search/store_own.h"
#include "services/search/store_trends.h"

/* Writes a batch by one statement, since the triggers cost as much for one note as for many. A rebuild writes only what
 * differs. */
DB_STATEMENT(
    UPSERT_NOTES, "search_service", NULL,
    "insert into search_index as i (note_id, author_id, owner_id, version, words, length, engagement, likes,"
    " edited_at)"
    " select n.note_id, n.author_id, nullif(n.owner_id, '')::uuid, n.version, n.vector::tsvector, n.length,"
    " n.engagement, n.likes, timestamptz 'epoch' + nullif(n.edited_ms, 0) * interval '1 millisecond'"
    " from unnest($1::uuid[], $2::uuid[], $3::text[], $4::bigint[], $5::text[], $6::bigint[], $7::bigint[],"
    " $8::bigint[], $9::bigint[]) as n (note_id, author_id, owner_id, version, vector, length, engagement, likes,"
    " edited_ms)"
    " on conflict (note_id) do update set owner_id = excluded.owner_id, version = excluded.version,"
    " words = excluded.words, length = excluded.length, engagement = excluded.engagement,"
    " likes = excluded.likes, edited_at = excluded.edited_at where i.version <= excluded.version and (i.owner_id,"
    " i.version, i.words, i.length, i.engagement, i.likes, i.edited_at) is distinct from (excluded.owner_id,"
    " excluded.version, excluded.words, excluded.length, excluded.engagement, excluded.likes, excluded.edited_at)");

static int64_t engagement_of(const Note__NoteCounts *counts)
{
        return counts->likes + counts->renotes + counts->comments;
}

struct columns {
        char **ids, **authors, **owners, **vectors;
        int64_t *versions, *lengths, *engagements, *likes, *edited_ms;
};

static struct columns new_columns(struct arena *arena, size_t n)
{
        return (struct columns){
            .ids = ARENA_ARRAY(arena, char *, n),
            .authors = ARENA_ARRAY(arena, char *, n),
            .owners = ARENA_ARRAY(arena, char *, n),
            .vectors = ARENA_ARRAY(arena, char *, n),
            .versions = ARENA_ARRAY(arena, int64_t, n),
            .lengths = ARENA_ARRAY(arena, int64_t, n),
            .engagements = ARENA_ARRAY(arena, int64_t, n),
            .likes = ARENA_ARRAY(arena, int64_t, n),
            .edited_ms = ARENA_ARRAY(arena, int64_t, n),
        };
}

static void fill(const struct columns *to, size_t i, const struct indexed_note *n)
{
        const Note__Note *note = n->note->note;
        bool open = note->visibility == NOTE__VISIBILITY__VISIBILITY_PUBLIC;

        to->ids[i] = note->id;
        to->authors[i] = note->author->id;
        to->owners[i] = open ? "" : n->note->audience_owner_id;
        to->versions[i] = n->note->version;
        to->vectors[i] = (char *)n->vector;
        to->lengths[i] = (int64_t)n->length;
        to->engagements[i] = engagement_of(note->counts);
        to->likes[i] = note->counts->likes;
        to->edited_ms[i] = note->edited_at != NULL ? rank_time_ms(note->edited_at) : 0;
}

sn_status store_index_notes(struct db_tx *tx, const struct indexed_note *notes, size_t n)
{
        struct columns c = new_columns(db_arena(tx), n);

        for (size_t i = 0; i < n; i++) {
                fill(&c, i, &notes[i]);
        }
        return n > 0 ? db_exec(tx, &UPSERT_NOTES,
                               DB_BINDS(bind_uuids(c.ids, n), bind_uuids(c.authors, n), bind_texts(c.owners, n),
                                        bind_i64s(c.versions, n), bind_texts(c.vectors, n), bind_i64s(c.lengths, n),
                                        bind_i64s(c.engagements, n), bind_i64s(c.likes, n), bind_i64s(c.edited_ms, n)),
                               NULL)
                     : SN_OK;
}

DB_STATEMENT(MERGE_WORDS, "search_service", NULL,
             "select search_merge_words() where exists (select from search_word_changes)");

sn_status store_merge_words(struct db_tx *tx)
{
        return db_exec(tx, &MERGE_WORDS, DB_NO_BINDS, NULL);
}

DB_STATEMENT(MAKE_STEPS, "search_service", NULL, "select search_make_steps()");

sn_status store_make_steps(struct db_tx *tx)
{
        return db_exec(tx, &MAKE_STEPS, DB_NO_BINDS, NULL);
}

DB_STATEMENT(DELETE_NOTES, "search_service", NULL, "delete from search_index where note_id = any($1::uuid[])");

sn_status store_unindex_notes(struct db_tx *tx, char **ids, size_t n)
{
        return n > 0 ? db_exec(tx, &DELETE_NOTES, DB_BINDS(bind_uuids(ids, n)), NULL) : SN_OK;
}

DB_STATEMENT(
    COUNT_NOTE, "search_service", NULL,
    "update search_index set engagement = $2, likes = $3 where note_id = $1 and (engagement, likes) <> ($2, $3)");

sn_status store_count_note(struct db_tx *tx, const char *id, const Note__NoteCounts *counts)
{
        return db_exec(tx, &COUNT_NOTE,
                       DB_BINDS(bind_uuid(id), bind_i64(engagement_of(counts)), bind_i64(counts->likes)), NULL);
}

DB_STATEMENT(UPSERT_MEMBER, "search_service", NULL,
             "insert into search_members (user_id, username_key, names, discoverable, searchable,"
             " keeps_history) values ($1, $2, $3, $4, $5, $6) on conflict (user_id) do update set username_key = "
             "excluded.username_key,"
             " names = excluded.names, discoverable = excluded.discoverable, searchable = excluded.searchable,"
             " keeps_history = excluded.keeps_history");
DB_STATEMENT(LIST_AUTHOR, "search_service", NULL, "delete from search_unlisted where user_id = $1");
DB_STATEMENT(UNLIST_AUTHOR, "search_service", NULL,
             "insert into search_unlisted (user_id) values ($1) on conflict do nothing");

sn_status store_index_member(struct db_tx *tx, const User__IndexedUser *user, const char *username_key,
                             const char *names)
{
        TRY(db_exec(tx, &UPSERT_MEMBER,
                    DB_BINDS(bind_uuid(user->id), bind_text(username_key), bind_text(names),
                             bind_bool(user->discoverable), bind_bool(user->searchable),
                             bind_bool(user->search_history)),
                    NULL));
        TRY(user->search_history ? SN_OK : store_clear_history(tx, user->id));
        return db_exec(tx, user->searchable ? &LIST_AUTHOR : &UNLIST_AUTHOR, DB_BINDS(bind_uuid(user->id)), NULL);
}

DB_STATEMENT(DELETE_MEMBER, "search_service", NULL, "delete from search_members where user_id = $1");

/* A member without notes needs no row, and an erased member must not have one. */
DB_STATEMENT(HIDE_AUTHOR, "search_service", NULL,
             "insert into search_unlisted (user_id) select $1::uuid"
             " where exists (select from search_index where author_id = $1) on conflict do nothing");

sn_status store_hide_member(struct db_tx *tx, const char *id)
{
        TRY(db_exec(tx, &DELETE_MEMBER, DB_BINDS(bind_uuid(id)), NULL));
        return db_exec(tx, &HIDE_AUTHOR, DB_BINDS(bind_uuid(id)), NULL);
}

DB_STATEMENT(ERASE_NOTES, "search_service", NULL, "delete from search_index where author_id = $1");
/* Answers to erased notes remain, but not whom they were addressed to. */
DB_STATEMENT(ERASE_ADDRESSEE, "search_service", NULL,
             "update search_index set words = ts_delete(words, ':to:' || $1::uuid)"
             " where words @@ (quote_literal(':to:' || $1::uuid))::tsquery");
DB_STATEMENT(ERASE_KEYS, "search_service", NULL, "delete from idempotency_keys where actor_id = $1");

sn_status store_erase_member(struct db_tx *tx, const char *id)
{
        TRY(db_exec(tx, &DELETE_MEMBER, DB_BINDS(bind_uuid(id)), NULL));
        TRY(db_exec(tx, &LIST_AUTHOR, DB_BINDS(bind_uuid(id)), NULL));
        TRY(db_exec(tx, &ERASE_NOTES, DB_BINDS(bind_uuid(id)), NULL));
        TRY(db_exec(tx, &ERASE_ADDRESSEE, DB_BINDS(bind_uuid(id)), NULL));
        TRY(store_clear_history(tx, id));
        TRY(store_erase_saved(tx, id));
        TRY(store_erase_uses(tx, id));
        return db_exec(tx, &ERASE_KEYS, DB_BINDS(bind_uuid(id)), NULL);
}
