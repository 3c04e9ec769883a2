-- As before, but where no word has come or gone nothing is written.
create or replace function search_count_words() returns trigger language plpgsql as $$
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
        if changed is null then -- an insert that met no older version is an update of nothing, too
                return null;
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
