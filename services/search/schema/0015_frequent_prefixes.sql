-- Prefixes of very many notes ("s*") are compared with each note of a window instead of looked up: the index would read all their words' lists as a whole.
-- Serves programs from: 0012

-- As before; rest: what is not looked up, compared by the function itself, which no index has.
create function search_candidates(query tsquery, viewer uuid, followed uuid[], only_authors uuid[], above uuid, before uuid, below uuid, spans integer[],
        min_likes bigint, most_engaged bigint, least_engaged bigint, room bigint, only_notes uuid[], few boolean, rest tsquery)
returns table (note_id uuid, author_id uuid, length integer, engagement bigint, edited_at timestamptz, words bytea) language plpgsql stable set work_mem = '16MB' as $$
declare
        id text := case when few then 'coalesce(i.note_id, i.author_id)' else 'i.note_id' end;
        levels integer[] := array(select generate_series(search_level(least_engaged), case when most_engaged is null then 62 else least(62, search_level(most_engaged)) end));
begin
        return query execute 'select c.note_id, c.author_id, c.length, c.engagement, c.edited_at, tsvectorsend(c.words) from (select b.*,'
                ' sum(pg_column_size(b.words)) over (rows unbounded preceding) as bytes from (select i.* from search_index i where i.likes >= $7'
                || case when query is null then '' when least_engaged >= 10 then ' and coalesce(i.words, '''') @@ $1' else ' and i.words @@ $1' end
                || case when rest is null then '' else ' and ts_match_vq(i.words, $14)' end
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
                using query, viewer, followed, only_authors, above, below, min_likes, most_engaged, room, only_notes, spans, levels, before, rest;
end
$$;
