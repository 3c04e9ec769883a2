-- How many notes there are since when is known up to the oldest one, so that windows behind the newest half a million are as large as they should be;
-- and windows are looked up, however many hours they have: comparing these with each note takes ten times as long as reading all matches.
-- Serves programs from: 0012

-- As before, and the oldest note as the last of all.
create or replace function search_make_steps() returns void language sql as $$
        delete from search_steps;
        insert into search_steps (notes, note_id, engagement)
        select n.place, n.note_id, e.engagement
        from (select note_id, row_number() over () as place from (select note_id from search_index order by note_id desc limit 524288) i) n
        join (select engagement, row_number() over () as place
                from (select engagement from search_index order by engagement desc, note_id desc limit 524288) i) e using (place)
        where n.place in (1, 16, 32, 64, 128, 256, 512, 1024, 2048, 4096, 8192, 16384, 32768, 65536, 131072, 262144, 524288);
        insert into search_steps (notes, note_id, engagement)
        select w.notes, i.note_id, 0
        from (select notes, note_id from search_steps order by notes desc limit 1) s, search_words w, (select note_id from search_index order by note_id limit 1) i
        where w.word = ':all' and w.notes > s.notes and i.note_id < s.note_id;
$$;
select search_make_steps();

alter function search_candidates(tsquery, uuid, uuid[], uuid[], uuid, uuid, uuid, integer[], bigint, bigint, bigint, bigint, uuid[], boolean, tsquery)
        set enable_seqscan = off;
