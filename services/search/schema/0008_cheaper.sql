-- Stems are made by search_service itself now, which has them without accents as it has words. What is there is held against its owners once more.
alter table search_synonyms add forms text[] not null default '{}'; -- the stems of its words, in the language or in all: "~en:run"
update search_synonyms s set forms = coalesce((
        select array_agg(distinct '~' || code || ':' || search_stem(dictionary, word)) from unnest(s.words) as word,
        (values ('da', 'danish_stem'), ('de', 'german_stem'), ('en', 'english_stem'), ('es', 'spanish_stem'), ('fi', 'finnish_stem'),
                ('fr', 'french_stem'), ('hu', 'hungarian_stem'), ('it', 'italian_stem'), ('nl', 'dutch_stem'), ('no', 'norwegian_stem'),
                ('pt', 'portuguese_stem'), ('ro', 'romanian_stem'), ('sv', 'swedish_stem'), ('tr', 'turkish_stem'), ('ru', 'russian_stem'),
                ('el', 'greek_stem'), ('hy', 'armenian_stem'), ('ar', 'arabic_stem'), ('hi', 'hindi_stem'), ('ta', 'tamil_stem')) as l (code, dictionary)
        where s.language in ('', code) and search_stem(dictionary, word) is not null), '{}');
drop function search_stems(text, text, text[]);
drop function search_stem(text, text);
update search_rebuild set after_id = '00000000-0000-0000-0000-000000000000', checked = 0, done_at = null;

-- What a note adds to the lists of its words waits in a list that searches read, too, and is added for many notes at once.
alter index search_index_words set (fastupdate = on, gin_pending_list_limit = 256);

-- By how many notes a word has come or gone since they were counted, a row for each statement. A frequent word is then written once for all
-- the notes of some seconds.
create table search_word_changes (
        id         bigint      generated always as identity primary key,
        words      text[]      not null,
        notes      bigint[]    not null,
        open       bigint[]    not null,
        created_at timestamptz not null default now()
);

-- All of them into the counts, by one at a time, so that what takes a word away comes after what brought it. A word that no note has any
-- more is forgotten.
create function search_merge_words() returns void language plpgsql as $$
declare
        changed text[];
        more bigint[];
        more_open bigint[];
begin
        perform pg_advisory_xact_lock(hashtextextended('search_merge_words', 0));
        with merged as (delete from search_word_changes returning words, notes, open)
        select array_agg(word), array_agg(n), array_agg(o) into changed, more, more_open from (
                select word, sum(n) as n, sum(o) as o from merged, unnest(words, notes, open) as c (word, n, o)
                group by word having sum(n) <> 0 or sum(o) <> 0) as c;
        if changed is null then
                return;
        end if;
        insert into search_words as w (word, notes, open)
        select c.word, c.n, c.o from unnest(changed, more, more_open) as c (word, n, o) order by c.word collate "C"
        on conflict (word) do update set notes = w.notes + excluded.notes, open = w.open + excluded.open;
        delete from search_words w using unnest(changed, more) as c (word, n) where c.n < 0 and w.word = c.word and w.notes <= 0;
end
$$;

-- Written at once is what searches need to know: a word that no note had before, or none that all may see, and what goes away. In the order
-- of the words: two that write at once cannot wait for each other.
create function search_change_words(changed text[], more bigint[], more_open bigint[]) returns void language plpgsql as $$
begin
        if changed is null then
                return;
        end if;
        with c as materialized (
                select c.*, c.n < 0 or exists (select from search_words w where w.word = c.word and (w.open > 0 or c.o <= 0)) as known
                from unnest(changed, more, more_open) as c (word, n, o)),
        at_once as (
                insert into search_words as w (word, notes, open)
                select word, n, o from c where not known order by word collate "C"
                on conflict (word) do update set notes = w.notes + excluded.notes, open = w.open + excluded.open)
        insert into search_word_changes (words, notes, open)
        select array_agg(word), array_agg(n), array_agg(o) from c where known having count(*) > 0;
        if 0 > any(more) then
                perform search_merge_words();
        end if;
end
$$;

-- Of notes that are counted anew the words are the same.
create or replace function search_count_words() returns trigger language plpgsql as $$
begin
        if tg_op = 'INSERT' then
                perform search_change_words(array_agg(word), array_agg(n), array_agg(o)) from (
                        select word, count(*) as n, count(*) filter (where owner_id is null) as o
                        from added, unnest(tsvector_to_array(words)) as word group by word) as c;
        elsif tg_op = 'DELETE' then
                perform search_change_words(array_agg(word), array_agg(n), array_agg(o)) from (
                        select word, -count(*) as n, -count(*) filter (where owner_id is null) as o
                        from removed, unnest(tsvector_to_array(words)) as word group by word) as c;
        else
                perform search_change_words(array_agg(word), array_agg(n), array_agg(o)) from (
                        select word, sum(n)::bigint as n, sum(o)::bigint as o from (
                                select unnest(case s when 1 then tsvector_to_array(a.words) else tsvector_to_array(r.words) end), s,
                                        case s when 1 then (a.owner_id is null)::integer else -(r.owner_id is null)::integer end
                                from added a join removed r on r.note_id = a.note_id
                                        and (r.words is distinct from a.words or r.owner_id is distinct from a.owner_id),
                                (values (1), (-1)) as sign (s)
                        ) as w (word, n, o) group by word having sum(n) <> 0 or sum(o) <> 0) as c;
        end if;
        return null;
end
$$;
