-- What is searched: notes by their words, members by their names, and the words that there are.

create extension if not exists pg_trgm;

-- One row a note that others than its author may see. No text: its words, and with a sign before them what else it is found by ("#tag",
-- ":from:ID", "~en:stem"; services/search/lexemes.h). Words have their positions, for phrases; the others have none.
create table search_index (
        note_id    uuid        primary key, -- version 7: sorted by time
        author_id  uuid        not null,
        owner_id   uuid,                    -- whose followers may see it; null: it is public
        version    bigint      not null,    -- of the note
        words      tsvector    not null,
        length     integer     not null,    -- of the text, in words
        engagement bigint      not null,    -- likes, renotes and comments together
        likes      bigint      not null,
        edited_at  timestamptz,             -- of the note; null: never
        created_at timestamptz not null default now(),
        updated_at timestamptz not null default now()
);
create index search_index_words on search_index using gin (words) with (fastupdate = off);
create index search_index_engaged on search_index (engagement desc, note_id desc);
create index search_index_author on search_index (author_id, note_id);
create trigger search_index_updated before update on search_index for each row execute function update_updated_at_column();

-- When a note was written: its id says so.
create function search_note_time(id uuid) returns timestamptz language sql immutable as $$
        select to_timestamp(('x' || translate(left(id::text, 13), '-', ''))::bit(48)::bigint / 1000.0)
$$;

-- Members whom others may see: who is not there is found by nothing, nor is what they wrote.
create table search_members (
        user_id      uuid        primary key,
        username_key text        collate "C" not null,
        names        text        not null, -- folded: username and display name
        discoverable boolean     not null,
        searchable   boolean     not null,
        created_at   timestamptz not null default now(),
        updated_at   timestamptz not null default now()
);
create index search_members_username on search_members (username_key);
create index search_members_names on search_members using gin (names gin_trgm_ops);
create trigger search_members_updated before update on search_members for each row execute function update_updated_at_column();

-- Members who are hidden, or who do not want to be found by what they write: few, and asked for each candidate.
create table search_unlisted (
        user_id    uuid        primary key,
        created_at timestamptz not null default now()
);

-- How many notes have a word: how rare it is, what is meant by a mistyped one, and what begins so.
create table search_words (
        word       text        collate "C" primary key,
        notes      bigint      not null,
        open       bigint      not null, -- of these, those that all may see
        created_at timestamptz not null default now()
);
-- What is mistyped is compared with words alone.
create index search_words_alike on search_words using gin (word gin_trgm_ops) where word !~ '^[#:~/@]';

-- By triggers, so that index and counts are one. In the order of the words: two that write at once cannot wait for each other. A word that no
-- note has any more is forgotten.
create function search_count_words() returns trigger language plpgsql as $$
declare
        changed text[];
        more bigint[];
        more_open bigint[];
begin
        if tg_op = 'INSERT' then
                select array_agg(word), array_agg(n), array_agg(o) into changed, more, more_open from (
                        select word, count(*) as n, count(*) filter (where owner_id is null) as o
                        from added, unnest(tsvector_to_array(words)) as word group by word) as c;
        elsif tg_op = 'DELETE' then
                select array_agg(word), array_agg(n), array_agg(o) into changed, more, more_open from (
                        select word, -count(*) as n, -count(*) filter (where owner_id is null) as o
                        from removed, unnest(tsvector_to_array(words)) as word group by word) as c;
        else
                select array_agg(word), array_agg(n), array_agg(o) into changed, more, more_open from (
                        select word, sum(n) as n, sum(o) as o from (
                                select unnest(tsvector_to_array(words)), 1, (owner_id is null)::integer from added
                                union all
                                select unnest(tsvector_to_array(words)), -1, -(owner_id is null)::integer from removed
                        ) as a (word, n, o) group by word having sum(n) <> 0 or sum(o) <> 0) as c;
        end if;
        insert into search_words as w (word, notes, open)
        select c.word, c.n, c.o from unnest(changed, more, more_open) as c (word, n, o) order by c.word collate "C"
        on conflict (word) do update set notes = w.notes + excluded.notes, open = w.open + excluded.open;
        if tg_op <> 'INSERT' then
                delete from search_words w using unnest(changed, more) as c (word, n) where c.n < 0 and w.word = c.word and w.notes <= 0;
        end if;
        return null;
end
$$;
create trigger search_index_added after insert on search_index referencing new table as added
        for each statement execute function search_count_words();
create trigger search_index_removed after delete on search_index referencing old table as removed
        for each statement execute function search_count_words();
create trigger search_index_changed after update on search_index referencing new table as added old table as removed
        for each statement execute function search_count_words();

-- The stem of a word by a dictionary of PostgreSQL, without accents; null: it is the word itself, or one that says nothing.
create function search_stem(dictionary text, word text) returns text language sql stable as $$
        select regexp_replace(normalize(stem, NFD), '[\u0300-\u036f]', '', 'g')
        from (select (ts_lexize(dictionary::regdictionary, word))[1] as stem) as s where dictionary <> ''
$$;

-- The stems of a note's words, each once: "~en:run".
create function search_stems(language text, dictionary text, words text[]) returns tsvector language sql stable as $$
        select array_to_tsvector(coalesce(array_agg(distinct '~' || language || ':' || stem), '{}'))
        from (select search_stem(dictionary, word) as stem, word from (select distinct unnest(words) as word) as w) as s
        where stem <> word
$$;

-- Words that look like one, for typing mistakes.
create function search_alike(typed text) returns setof text language sql stable set pg_trgm.similarity_threshold = 0.2 as $$
        select word from search_words where word % typed and word !~ '^[#:~/@]' order by similarity(word, typed) desc, open desc, word limit 30
$$;

-- The notes that a query matches, best first by time or by engagement: planned anew each time, since only what is asked for tells whether
-- walking down from the newest or reading the words' lists is faster. Of what is rarer than its statistics say the planner knows nothing: when few
-- match, which the counts of words tell, the order is an expression that no index has.
create function search_candidates(query tsquery, terms tsquery[], viewer uuid, followed uuid[], only_authors uuid[], above uuid, below uuid,
        min_likes bigint, most_engaged bigint, room bigint, only_notes uuid[], few boolean)
returns table (note_id uuid, author_id uuid, length integer, engagement bigint, edited_at timestamptz, ranks text) language plpgsql stable as $$
begin
        return query execute 'select i.note_id, i.author_id, i.length, i.engagement, i.edited_at, (select string_agg('
                '(ts_rank(''{0.8,0.8,0.8,1}'', i.words, t.term) * 1000000)::bigint::text, '' '' order by t.place)'
                ' from unnest($2) with ordinality as t (term, place)) from search_index i where i.likes >= $8'
                || case when query is null then '' else ' and i.words @@ $1' end
                || case when above is null then '' else ' and i.note_id > $6' end
                || case when below is null then '' when most_engaged is null then ' and i.note_id < $7'
                        else ' and (i.engagement, i.note_id) < ($9, $7)' end
                || case when only_authors is null then '' else ' and i.author_id = any($5)' end
                || case when only_notes is null then '' else ' and i.note_id = any($11)' end
                || ' and (i.owner_id is null or i.author_id = $3 or i.owner_id = $3 or i.owner_id = any($4))'
                ' and not exists (select from search_unlisted u where u.user_id = i.author_id and u.user_id is distinct from $3)'
                ' order by ' || case when most_engaged is null then '' else 'i.engagement desc, ' end
                || case when few then 'coalesce(i.note_id, i.author_id)' else 'i.note_id' end || ' desc limit $10'
                using query, terms, viewer, followed, only_authors, above, below, min_likes, most_engaged, room, only_notes;
end
$$;
