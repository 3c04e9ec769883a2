-- Many long notes at once hold up others for less long, and words of hidden notes do not displace those of public ones.
-- Serves programs from: 0012

-- Words of one or two characters, such as pairs of Han, are no typing mistakes: a mistyped word has at least four characters, and at most one more or
-- less than what is meant, or from eight on two. A note of 5,000 Han may add as many of them.
create index search_words_alike_new on search_words using gin (word gin_trgm_ops) where word !~ '^[#:~/@]' and char_length(word) > 2;

-- Its parameters can only be set once this session has loaded pg_trgm, which calling a function of it does.
select show_trgm('');

-- As before, but thirty words of public notes and thirty of others, which only some readers may see: these cannot displace those.
create or replace function search_alike(typed text, two boolean) returns setof text language plpgsql stable rows 30 set pg_trgm.similarity_threshold = 0.2 as $$
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
        return query select a.word from (select w.word, row_number() over (partition by w.open > 0 order by similarity(w.word, typed) desc, w.open desc, w.word) as place
                from search_words w where w.word % typed and w.word !~ '^[#:~/@]' and char_length(w.word) > 2) a where a.place <= 30;
end
$$;
drop function search_alike(text);

drop index search_words_alike;
alter index search_words_alike_new rename to search_words_alike;

-- The saved searches with alerts that have one of a note's anchors. By their index, however few there are: an anchor compared with the thousands of a
-- long note takes longer than a look into the index for each of them.
create function search_saved_with(note_anchors text[]) returns setof saved_searches language plpgsql stable rows 10 set enable_seqscan = off as $$
begin
        return query select * from saved_searches where anchors && note_anchors;
end
$$;
