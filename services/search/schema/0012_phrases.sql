-- Phrases of frequent words: two adjacent frequent words are also indexed as one lexeme, "~&of the" (services/search/stems.h), so that a phrase need not
-- read every note with both. search_service indexes older notes again by itself (services/search/store_rebuild.c).
-- Serves programs from: 0011

-- The indexes are built under other names first, which only writes wait for; the old ones, whose removal searches wait for, are dropped at the end.
-- By author alone: the index then stores an author's id once for many notes instead of once for each.
create index search_index_author_new on search_index (author_id);

-- On a different expression than search_index_words, so that queries for popular notes can only use this index: for phrases the planner expects so few
-- matches that it would read the words of all notes.
create index search_index_popular_new on search_index using gin (coalesce(words, ''), (array[search_level(engagement)]))
        with (fastupdate = on, gin_pending_list_limit = 256) where engagement >= 10;

-- Its parameters can only be set once this session has loaded pg_trgm, which calling a function of it does.
select show_trgm('');

-- Words that a mistyped one may stand for. Of its d trigrams, one error changes at most three, and two errors, which may each swap two letters, at
-- most eight; words with fewer in common need hardly be read. The results of swapping two letters or leaving one out are looked up directly. two: allow
-- two errors. search_alike(text) stays for the previous release.
create function search_alike(typed text, two boolean) returns setof text language plpgsql stable rows 30 set pg_trgm.similarity_threshold = 0.2 as $$
declare
        n integer := char_length(typed);
        d real := cardinality(show_trgm(typed));
begin
        -- restored when the function ends, as the one above
        perform set_config('pg_trgm.similarity_threshold', greatest(0.2, case when two then (d - 8) / (d + 8) else (d - 3) / (d + 3) end - 0.01)::text, true);
        return query select v.word from (
                select left(typed, i - 1) || substr(typed, i + 1) from generate_series(1, n) as i
                union
                select left(typed, i - 1) || substr(typed, i + 1, 1) || substr(typed, i, 1) || substr(typed, i + 2) from generate_series(1, n - 1) as i) as v (word)
                where exists (select from search_words w where w.word = v.word collate "C");
        return query select a.word from (select w.word from search_words w where w.word % typed and w.word !~ '^[#:~/@]'
                order by similarity(w.word, typed) desc, w.open desc, w.word limit 30) a;
end
$$;

-- As before, but if few notes are read, time bounds are compared instead of looked up: the list of all newer ids is longer than those of the words.
create or replace function search_candidates(query tsquery, viewer uuid, followed uuid[], only_authors uuid[], above uuid, before uuid, below uuid, spans integer[],
        min_likes bigint, most_engaged bigint, least_engaged bigint, room bigint, only_notes uuid[], few boolean)
returns table (note_id uuid, author_id uuid, length integer, engagement bigint, edited_at timestamptz, words bytea) language plpgsql stable set work_mem = '16MB' as $$
declare
        id text := case when few then 'coalesce(i.note_id, i.author_id)' else 'i.note_id' end;
        levels integer[] := array(select generate_series(search_level(least_engaged), case when most_engaged is null then 62 else least(62, search_level(most_engaged)) end));
begin
        return query execute 'select c.note_id, c.author_id, c.length, c.engagement, c.edited_at, tsvectorsend(c.words) from (select b.*,'
                ' sum(pg_column_size(b.words)) over (rows unbounded preceding) as bytes from (select i.* from search_index i where i.likes >= $7'
                || case when query is null then '' when least_engaged >= 10 then ' and coalesce(i.words, '''') @@ $1' else ' and i.words @@ $1' end
                || case when least_engaged >= 10 then ' and i.engagement >= 10 and array[search_level(i.engagement)] && $12'
                        else '' end
                || case when spans is null then '' else ' and search_spans(i.note_id) && $11' end
                || case when above is null then '' else ' and ' || id || ' > $5' end
                || case when before is null then '' else ' and ' || id || ' < $13' end
                || case when below is null then '' when most_engaged is null then ' and ' || id || ' < $6'
                        else ' and (i.engagement, i.note_id) < ($8, $6)' end
                || case when only_authors is null then '' else ' and i.author_id = any($4)' end
                || case when only_notes is null then '' else ' and i.note_id = any($10)' end
                || ' and (i.owner_id is null or i.author_id = $2 or i.owner_id = $2 or i.owner_id = any($3))'
                ' and not exists (select from search_unlisted u where u.user_id = i.author_id and u.user_id is distinct from $2)'
                ' order by ' || case when most_engaged is null then '' when few then 'coalesce(i.engagement, i.likes) desc, ' else 'i.engagement desc, ' end
                || id || ' desc limit $9) b) c where c.bytes <= 4194304'
                using query, viewer, followed, only_authors, above, below, min_likes, most_engaged, room, only_notes, spans, levels, before;
end
$$;

drop index search_index_author, search_index_popular;
alter index search_index_author_new rename to search_index_author;
alter index search_index_popular_new rename to search_index_popular;
