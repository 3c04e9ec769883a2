-- The newest of many matches without reading all of them: a note's hour, its day and its 32 days stand in the index beside its words, so that the
-- lists of both are read from where a window begins. In the same way the most engaged ones, by how many reacted.

create function search_spans(id uuid) returns integer[] language plpgsql immutable strict parallel safe as $$
declare
        hour integer := ('x' || translate(left(id::text, 13), '-', ''))::bit(48)::bigint / 3600000;
begin
        return array[hour, 10000000 + hour / 24, 20000000 + hour / 768];
end
$$;

-- Two of them for each time that twice as many reacted.
create function search_level(engagement bigint) returns integer language sql immutable strict parallel safe as $$
        select case when engagement < 1 then 0 else floor(2 * ln(engagement::double precision) / ln(2::double precision))::integer end
$$;

drop index search_index_words, search_index_popular;
create index search_index_words on search_index using gin (words, search_spans(note_id)) with (fastupdate = on, gin_pending_list_limit = 256);
create index search_index_popular on search_index using gin (words, (array[search_level(engagement)]))
        with (fastupdate = on, gin_pending_list_limit = 256) where engagement >= 10;

-- Of so many notes, the newest ones and the most engaged ones, which is the last. Made anew every quarter of an hour: it only says how large a window is.
create table search_steps (
        notes      bigint      primary key,
        note_id    uuid        not null,
        engagement bigint      not null,
        created_at timestamptz not null default now()
);

-- Up to half a million: of what is rarer than one in some hundred of them all is read.
create function search_make_steps() returns void language sql as $$
        delete from search_steps;
        insert into search_steps (notes, note_id, engagement)
        select n.place, n.note_id, e.engagement
        from (select note_id, row_number() over () as place from (select note_id from search_index order by note_id desc limit 524288) i) n
        join (select engagement, row_number() over () as place
                from (select engagement from search_index order by engagement desc, note_id desc limit 524288) i) e using (place)
        where n.place in (1, 16, 32, 64, 128, 256, 512, 1024, 2048, 4096, 8192, 16384, 32768, 65536, 131072, 262144, 524288)
$$;
select search_make_steps();

-- As before; before: older than that, in every order; spans: only in these; least_engaged: only those to
-- which about so many reacted, or more, of which there is an index from ten on. With the memory that
-- lists of a quarter of a million notes take: with less, whole pages of notes are compared instead.
drop function search_candidates(tsquery, uuid, uuid[], uuid[], uuid, uuid, bigint, bigint, boolean, bigint, uuid[], boolean);
create function search_candidates(query tsquery, viewer uuid, followed uuid[], only_authors uuid[], above uuid, before uuid, below uuid, spans integer[],
        min_likes bigint, most_engaged bigint, least_engaged bigint, room bigint, only_notes uuid[], few boolean)
returns table (note_id uuid, author_id uuid, length integer, engagement bigint, edited_at timestamptz, words bytea) language plpgsql stable set work_mem = '16MB' as $$
declare
        levels integer[] := array(select generate_series(search_level(least_engaged), case when most_engaged is null then 62 else least(62, search_level(most_engaged)) end));
begin
        return query execute 'select c.note_id, c.author_id, c.length, c.engagement, c.edited_at, tsvectorsend(c.words) from (select b.*,'
                ' sum(pg_column_size(b.words)) over (rows unbounded preceding) as bytes from (select i.* from search_index i where i.likes >= $7'
                || case when query is null then '' else ' and i.words @@ $1' end
                || case when least_engaged >= 10 then ' and i.engagement >= 10 and array[search_level(i.engagement)] && $12'
                        else '' end
                || case when spans is null then '' else ' and search_spans(i.note_id) && $11' end
                || case when above is null then '' else ' and i.note_id > $5' end
                || case when before is null then '' else ' and i.note_id < $13' end
                || case when below is null then '' when most_engaged is null then ' and i.note_id < $6'
                        else ' and (i.engagement, i.note_id) < ($8, $6)' end
                || case when only_authors is null then '' else ' and i.author_id = any($4)' end
                || case when only_notes is null then '' else ' and i.note_id = any($10)' end
                || ' and (i.owner_id is null or i.author_id = $2 or i.owner_id = $2 or i.owner_id = any($3))'
                ' and not exists (select from search_unlisted u where u.user_id = i.author_id and u.user_id is distinct from $2)'
                ' order by ' || case when most_engaged is null then '' when few then 'coalesce(i.engagement, i.likes) desc, ' else 'i.engagement desc, ' end
                || case when few then 'coalesce(i.note_id, i.author_id)' else 'i.note_id' end || ' desc limit $9) b) c where c.bytes <= 4194304'
                using query, viewer, followed, only_authors, above, below, min_likes, most_engaged, room, only_notes, spans, levels, before;
end
$$;
