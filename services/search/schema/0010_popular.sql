-- What many react to is few notes: by their words they are read without walking down from the most engaged of all.
create index search_index_popular on search_index using gin (words) with (fastupdate = on, gin_pending_list_limit = 256) where engagement >= 10;

-- As before, but the most engaged of few matches are read as those are, and not by walking down; popular: only those that many reacted to.
drop function search_candidates(tsquery, uuid, uuid[], uuid[], uuid, uuid, bigint, bigint, bigint, uuid[], boolean);
create function search_candidates(query tsquery, viewer uuid, followed uuid[], only_authors uuid[], above uuid, below uuid,
        min_likes bigint, most_engaged bigint, popular boolean, room bigint, only_notes uuid[], few boolean)
returns table (note_id uuid, author_id uuid, length integer, engagement bigint, edited_at timestamptz, words bytea) language plpgsql stable as $$
begin
        return query execute 'select c.note_id, c.author_id, c.length, c.engagement, c.edited_at, tsvectorsend(c.words) from (select b.*,'
                ' sum(pg_column_size(b.words)) over (rows unbounded preceding) as bytes from (select i.* from search_index i where i.likes >= $7'
                || case when query is null then '' else ' and i.words @@ $1' end
                || case when popular then ' and i.engagement >= 10' else '' end
                || case when above is null then '' else ' and i.note_id > $5' end
                || case when below is null then '' when most_engaged is null then ' and i.note_id < $6'
                        else ' and (i.engagement, i.note_id) < ($8, $6)' end
                || case when only_authors is null then '' else ' and i.author_id = any($4)' end
                || case when only_notes is null then '' else ' and i.note_id = any($10)' end
                || ' and (i.owner_id is null or i.author_id = $2 or i.owner_id = $2 or i.owner_id = any($3))'
                ' and not exists (select from search_unlisted u where u.user_id = i.author_id and u.user_id is distinct from $2)'
                ' order by ' || case when most_engaged is null then '' when few then 'coalesce(i.engagement, i.likes) desc, ' else 'i.engagement desc, ' end
                || case when few then 'coalesce(i.note_id, i.author_id)' else 'i.note_id' end || ' desc limit $9) b) c where c.bytes <= 4194304'
                using query, viewer, followed, only_authors, above, below, min_likes, most_engaged, room, only_notes;
end
$$;
