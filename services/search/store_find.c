/* Owns the SQL that searches. */
#include "services/search/store.h"

#include <string.h>
#include "services/search/scripts.h"

/* Stems in every language that was asked for, with and without the sign of the language: the stem may be a word of its
 * own. Of more than 2,000 words that begin so no sum is made: very many. Kinds: p what begins so, w the word, s a stem,
 * y a typing mistake, o another word that stands for it ("o:en": in English). */
DB_STATEMENT(SELECT_ALTERNATIVES, "search_service", &search_rows__word__message,
             "with asked as (select * from unnest($1::text[], $2::text[], $3::bigint[], $4::bigint[], $7::bigint[],"
             " $8::bigint[]) with ordinality as a (word, lexeme, stems, typos, synonyms, starts, place)),"
             " languages as (select * from unnest($5::text[], $6::text[]) as l (code, dictionary)),"
             " synonyms as (select a.place, o.word, s.language from asked a join search_synonyms s"
             " on s.words @> array[a.lexeme] cross join unnest(s.words) as o (word)"
             " where a.synonyms > 0 and o.word <> a.lexeme),"
             " stems as (select a.place, l.code, s.stem from asked a cross join languages l"
             " cross join lateral (select search_stem(l.dictionary, a.word) as stem) s"
             " where a.stems > 0 and s.stem is not null), others as ("
             "select place, '~' || code || ':' || stem as word, 's' as kind from stems"
             " union select place, stem, 's' from stems"
             " union select place, word, case language when '' then 'o' else 'o:' || language end from synonyms"
             " union select y.place, '~' || l.code || ':' || s.stem, 'o' from synonyms y"
             " join languages l on y.language in ('', l.code)"
             " cross join lateral (select search_stem(l.dictionary, y.word) as stem) s where s.stem is not null"
             " union select place, t.word, 'y' from asked a cross join lateral (select search_alike(a.lexeme) as word"
             " where a.typos > 0) t)"
             " select a.place, a.lexeme as word, 'w' as kind, coalesce(w.open, 0) as open"
             " from asked a left join search_words w on w.word = a.lexeme"
             " union all select a.place, '', 'p', (select case when count(*) < 2000 then coalesce(sum(open), 0)::bigint"
             " else 1000000000000 end from (select open from search_words"
             " where word >= a.lexeme and word < a.lexeme || U&'\\+10FFFF' order by word limit 2000) s)"
             " from asked a where a.starts > 0"
             " union all select o.place, o.word, o.kind, w.open from others o join search_words w on w.word = o.word"
             " join asked a on a.place = o.place and a.lexeme <> o.word order by place, kind desc, word");

sn_status store_alternatives(struct db_tx *tx, const struct word_asked *words, size_t n_words, char **languages,
                             char **dictionaries, size_t n_languages, size_t *n, SearchRows__Word ***rows)
{
        struct arena *arena = db_arena(tx);
        char **texts = ARENA_ARRAY(arena, char *, n_words), **lexemes = ARENA_ARRAY(arena, char *, n_words);
        int64_t *stems = ARENA_ARRAY(arena, int64_t, n_words), *typos = ARENA_ARRAY(arena, int64_t, n_words);
        int64_t *synonyms = ARENA_ARRAY(arena, int64_t, n_words), *starts = ARENA_ARRAY(arena, int64_t, n_words);

        for (size_t i = 0; i < n_words; i++) {
                texts[i] = (char *)words[i].word;
                lexemes[i] = (char *)words[i].lexeme;
                stems[i] = words[i].stems;
                typos[i] = words[i].typos;
                synonyms[i] = words[i].synonyms;
                starts[i] = words[i].starts;
        }
        return db_list(tx, &SELECT_ALTERNATIVES,
                       DB_BINDS(bind_texts(texts, n_words), bind_texts(lexemes, n_words), bind_i64s(stems, n_words),
                                bind_i64s(typos, n_words), bind_texts(languages, n_languages),
                                bind_texts(dictionaries, n_languages), bind_i64s(synonyms, n_words),
                                bind_i64s(starts, n_words)),
                       n, rows);
}

/* Each word once by each dictionary: stemming is the expensive part. */
DB_STATEMENT(SELECT_STEMMED, "search_service", &search_rows__word__message,
             "select word from (select distinct unnest($1::text[]) as word) w where exists (select from"
             " (select dictionary, array_agg(split_part(stem, ':', 2)) as stems"
             " from unnest($2::text[], $3::text[]) as s (stem, dictionary) group by dictionary) d"
             " where search_stem(d.dictionary, w.word) = any(d.stems))");

sn_status store_stemmed(struct db_tx *tx, char **words, size_t n_words, char **stems, size_t n_stems, size_t *n,
                        char ***found)
{
        struct arena *arena = db_arena(tx);
        char **dictionaries = ARENA_ARRAY(arena, char *, n_stems);
        SearchRows__Word **rows = NULL;

        for (size_t i = 0; i < n_stems; i++) {
                const struct language *language = language_find(arena_strndup(arena, stems[i] + 1, 2));

                dictionaries[i] = (char *)(language != NULL ? language->dictionary : "");
        }
        TRY(db_list(tx, &SELECT_STEMMED,
                    DB_BINDS(bind_texts(words, n_words), bind_texts(stems, n_stems), bind_texts(dictionaries, n_stems)),
                    n, &rows));
        *found = ARENA_ARRAY(arena, char *, *n);
        for (size_t i = 0; i < *n; i++) {
                (*found)[i] = rows[i]->word;
        }
        return SN_OK;
}

DB_STATEMENT(SELECT_CANDIDATES, "search_service", &search_rows__candidate__message,
             "select note_id, author_id, length, engagement, edited_at, ranks from search_candidates($1::text::tsquery,"
             " $2::text[]::tsquery[], $3, $4::uuid[], case when $5 then $4::uuid[] end, $6, $7, $8, $9, $10,"
             " $11, $12)");

sn_status store_candidates(struct db_tx *tx, const struct candidates_asked *a, size_t *n, SearchRows__Candidate ***rows)
{
        return db_list(tx, &SELECT_CANDIDATES,
                       DB_BINDS(bind_text(a->query), bind_texts(a->terms, a->n_terms), bind_uuid(a->viewer),
                                bind_uuids(a->followed, a->n_followed), bind_bool(a->only_followed),
                                bind_uuid(a->above), bind_uuid(a->below), bind_i64(a->min_likes),
                                a->by_engagement ? bind_i64(a->most_engaged) : bind_null(), bind_i64((int64_t)a->room),
                                a->only != NULL ? bind_uuids(a->only, a->n_only) : bind_null(), bind_bool(a->few)),
                       n, rows);
}

/* Kinds as in FacetKind. */
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

/* No text that starts with another one sorts after that and the last of all characters. */
#define STARTS_WITH(key) key " >= $1 and " key " < $1 || U&'\\+10FFFF'"

/* A username matches exactly or by its beginning, a display name by similar words. */
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
