/* Owns the SQL of searching. */
#include "services/search/store.h"

/* A word in a thousand notes is not considered mistyped, since looking for similar words takes longest. If more than
 * 2,000 words have the prefix they are not summed up, but count as very many. Kinds: p words with the prefix, b one of
 * them, w the word, s a form of it, y a typing mistake, o a synonym ("o:en": in English), t a step of search_steps, r:
 * not all notes are indexed with their pairs of frequent words yet. */
#define WORDS_STARTING_WITH(lexeme)                                                                                    \
        "(select word, open from search_words where word >= " lexeme " and word < " lexeme " || U&'\\+10FFFF'"         \
        " order by word limit "

DB_STATEMENT(
    SELECT_ALTERNATIVES, "search_service", &search_rows__word__message,
    "with asked as (select * from unnest($1::text[], $2::bigint[], $3::bigint[], $4::bigint[])"
    " with ordinality as a (lexeme, typos, synonyms, starts, place)),"
    " forms as (select * from unnest($5::bigint[], $6::text[]) as f (place, word)),"
    " synonyms as (select a.place, a.lexeme, s.words, s.forms, s.language from asked a"
    " join search_synonyms s on s.words @> array[a.lexeme] where a.synonyms > 0), others as ("
    "select place, word, 's' as kind from forms"
    " union select place, word, case language when '' then 'o' else 'o:' || language end from synonyms,"
    " unnest(words) as word where word <> lexeme"
    " union select place, form, 'o' from synonyms y, unnest(forms) as form"
    " where substring(form, '^~([a-z]+):') = any($7::text[]) and not exists (select from forms f"
    " where f.place = y.place and f.word = form)"
    " union select place, t.word, 'y' from asked a cross join lateral (select search_alike(a.lexeme, false) as word"
    " where a.typos > 0 and not exists (select from search_words w where w.word = a.lexeme"
    " and w.open >= 1000)) t)"
    " select a.place, a.lexeme as word, 'w' as kind, coalesce(w.open, 0) as open"
    " from asked a left join search_words w on w.word = a.lexeme"
    " union all select a.place, '', 'p', (select case when count(*) < 2000 then coalesce(sum(open), 0)::bigint"
    " else 1000000000000 end from " WORDS_STARTING_WITH(
        "a.lexeme") "2000) s) from asked a where a.starts > 0"
                    " union all select a.place, s.word, 'b', s.open from asked a cross join "
                    "lateral " WORDS_STARTING_WITH(
                        "a.lexeme") "$8) s where a.starts > 0"
                                    " union all select o.place, o.word, o.kind, w.open from others o join search_words "
                                    "w on w.word = o.word"
                                    " join asked a on a.place = o.place and a.lexeme <> o.word"
                                    " union all select -notes, note_id::text, 't', engagement from search_steps"
                                    " union all select 0, '', 'r', 1 where (select notes from search_words where word "
                                    "= ':all') is distinct from"
                                    " (select notes from search_words where word = ':pairs') order by place, kind "
                                    "desc, word");

sn_status store_alternatives(struct db_tx *tx, const struct word_asked *words, size_t n_words,
                             const struct forms_asked *forms, size_t *n, SearchRows__Word ***rows)
{
        struct arena *arena = db_arena(tx);
        char **lexemes = ARENA_ARRAY(arena, char *, n_words);
        int64_t *typos = ARENA_ARRAY(arena, int64_t, n_words), *synonyms = ARENA_ARRAY(arena, int64_t, n_words);
        int64_t *starts = ARENA_ARRAY(arena, int64_t, n_words);

        for (size_t i = 0; i < n_words; i++) {
                lexemes[i] = (char *)words[i].lexeme;
                typos[i] = words[i].typos;
                synonyms[i] = words[i].synonyms;
                starts[i] = words[i].starts;
        }
        return db_list(tx, &SELECT_ALTERNATIVES,
                       DB_BINDS(bind_texts(lexemes, n_words), bind_i64s(typos, n_words), bind_i64s(synonyms, n_words),
                                bind_i64s(starts, n_words), bind_i64s(forms->places, forms->n),
                                bind_texts(forms->lexemes, forms->n), bind_texts(forms->languages, forms->n_languages),
                                bind_i64(STORE_PREFIX_WORDS + 1)),
                       n, rows);
}

DB_STATEMENT(SELECT_ALIKE, "search_service", &search_rows__word__message,
             "select $1::bigint as place, w.word, 'y' as kind, w.open from search_alike($2, true) as t (word)"
             " join search_words w on w.word = t.word group by w.word order by w.word");

sn_status store_alike(struct db_tx *tx, size_t place, const char *typed, size_t *n, SearchRows__Word ***rows)
{
        return db_list(tx, &SELECT_ALIKE, DB_BINDS(bind_i64((int64_t)place), bind_text(typed)), n, rows);
}

DB_STATEMENT(
    SELECT_CANDIDATES, "search_service", &search_rows__candidate__message,
    "select note_id, author_id, length, engagement, edited_at, words from search_candidates("
    "$1::text::tsquery, $2, $3::uuid[], case when $4 then $3::uuid[] end, $5, $6, $7, $8::bigint[]::integer[], $9, $10,"
    " $11, $12, $13, $14, $15::text::tsquery)");

sn_status store_candidates(struct db_tx *tx, const struct candidates_asked *a, size_t *n, SearchRows__Candidate ***rows)
{
        return db_list(tx, &SELECT_CANDIDATES,
                       DB_BINDS(bind_text(a->query), bind_uuid(a->viewer), bind_uuids(a->followed, a->n_followed),
                                bind_bool(a->only_followed), bind_uuid(a->above), bind_uuid(a->before),
                                bind_uuid(a->below), a->n_spans > 0 ? bind_i64s(a->spans, a->n_spans) : bind_null(),
                                bind_i64(a->min_likes), a->by_engagement ? bind_i64(a->most_engaged) : bind_null(),
                                bind_i64(a->least_engaged), bind_i64((int64_t)a->room),
                                a->only != NULL ? bind_uuids(a->only, a->n_only) : bind_null(), bind_bool(a->few),
                                bind_text(a->rest)),
                       n, rows);
}

/* The kinds of FacetKind. */
DB_STATEMENT(SELECT_FACETS, "search_service", &search_rows__facet_count__message,
             "select kind, lexeme, count from (select kind, lexeme, count(*) as count, row_number() over (partition by"
             " kind order by count(*) desc, lexeme) as place from (select case when w like ':from:%' then 1 when w like"
             " '#%' then 2 when w like ':lang:%' then 3 when w like ':has:%' then 5 end as kind, w as lexeme"
             " from search_index i, unnest(tsvector_to_array(i.words)) w where i.note_id = any($1::uuid[])"
             " and w ~ '^(#|:from:|:lang:|:has:)' union all select 4,"
             " to_char(search_note_time(note_id) at time zone 'UTC', 'YYYY-MM') from search_index"
             " where note_id = any($1::uuid[])) v where kind = any($2::bigint[]) group by kind, lexeme) f"
             " where place <= 20 order by kind, place");

sn_status store_facets(struct db_tx *tx, char **ids, size_t n_ids, const int64_t *kinds, size_t n_kinds, size_t *n,
                       SearchRows__FacetCount ***rows)
{
        return db_list(tx, &SELECT_FACETS, DB_BINDS(bind_uuids(ids, n_ids), bind_i64s(kinds, n_kinds)), n, rows);
}

/* All texts with a prefix sort before the prefix followed by the last code point. */
#define STARTS_WITH(key) key " >= $1 and " key " < $1 || U&'\\+10FFFF'"

/* Usernames match exactly or by prefix, display names by similar words. */
DB_STATEMENT(FIND_MEMBERS, "search_service", &search_rows__member__message,
             "select user_id, score from (select user_id, case when username_key = $1 then 3000000"
             " when " STARTS_WITH(
                 "username_key") " then 2000000 else 0 end"
                                 " + (word_similarity($1, names) * 1000000)::bigint as score from search_members"
                                 " where discoverable and (" STARTS_WITH(
                                     "username_key") " or $1 <% names)) m"
                                                     " order by score desc, user_id limit $2");

sn_status store_find_members(struct db_tx *tx, const char *text, size_t limit, size_t *n, SearchRows__Member ***rows)
{
        return db_list(tx, &FIND_MEMBERS, DB_BINDS(bind_text(text), bind_i64((int64_t)limit)), n, rows);
}

DB_STATEMENT(
    FIND_HASHTAGS, "search_service", &search_rows__word__message,
    "select word, open from search_words where " STARTS_WITH("word") " and open > 0"
                                                                     " order by word <> $1, open desc, word limit $2");

sn_status store_find_hashtags(struct db_tx *tx, const char *start, size_t limit, size_t *n, SearchRows__Word ***rows)
{
        return db_list(tx, &FIND_HASHTAGS, DB_BINDS(bind_text(start), bind_i64((int64_t)limit)), n, rows);
}
