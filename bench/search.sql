-- Searches for candidates on an index of :notes notes, beside what PostgreSQL has for it alone (called by bench/run search). The texts are
-- those of Debian's fortunes, in pieces of twenty words, in a fixed order; each note has a number as a rare word.
\set ON_ERROR_STOP on
set client_min_messages = warning;
set maintenance_work_mem = '256MB';
set session_replication_role = replica;
create temporary table pieces as
        select row_number() over () as n, string_agg(lower(word), ' ') as text from (
                select word, row_number() over () / 20 as piece
                from regexp_split_to_table(pg_read_file(:'file'), '[^[:alnum:]]+') as word where word <> '' and length(word) < 40) w group by piece;
create temporary table facts (name text, value text);
insert into facts select 'pieces', count(*)::text from pieces;

drop index search_index_words;
insert into search_index (note_id, author_id, version, words, length, engagement, likes)
select (lpad(to_hex(1760000000000 + n * 1000), 12, '0') || '7000' || '8' || lpad(to_hex(n), 15, '0'))::uuid, lpad(to_hex(n % 50000), 32, '0')::uuid, 1,
        to_tsvector('simple', p.text || ' rare' || n % (:notes / 50)) || ''':all'''::tsvector, 20, (n * 7919) % 1000, (n * 7919) % 700
from generate_series(1, :notes::bigint) n join (select n as piece, text from pieces) p on p.piece = 1 + (n * 104729) % (select count(*) from pieces);
\set started `date +%s%3N`
create index search_index_words on search_index using gin (words) with (fastupdate = off);
\set ended `date +%s%3N`
insert into facts values ('GIN built, s', round((:ended - :started) / 1000.0, 1)::text);
vacuum analyze search_index;
insert into facts select 'GIN, MiB', (pg_relation_size('search_index_words') >> 20)::text;
insert into facts select 'texts, MiB', ((select avg(length(text)) from pieces) * :notes / 1048576)::bigint::text;

-- One query many times; the times in ms.
create function measure(of text, query text, rounds integer) returns table (kind text, p50 numeric, p99 numeric) language plpgsql as $$
declare
        times double precision[];
        began timestamptz;
begin
        for i in 1 .. rounds loop
                began := clock_timestamp();
                execute replace(query, '#', (i * 37 % 1000)::text);
                times := times || extract(epoch from clock_timestamp() - began) * 1000;
        end loop;
        return query select of, round((percentile_cont(0.5) within group (order by t))::numeric, 2),
                round((percentile_cont(0.99) within group (order by t))::numeric, 2) from unnest(times) t;
end
$$;
-- Whether few match says search_service by the counts of words, which are not kept here.
create function ours(terms text, notes bigint) returns text language sql as $$
        select format('select count(*) from search_candidates(%1$L, array[%1$L]::tsquery[], null, ''{}'', null, null, null, 0, null, 600, null, %2$L)', terms,
                matches * matches < 600 * notes) from (select count(*) as matches from search_index where words @@ replace(terms, '#', '37')::tsquery) m
$$;
create function plain(terms text) returns text language sql as $$
        select format('select note_id from search_index where words @@ %1$L order by ts_rank(words, %1$L) desc limit 20', terms)
$$;
create temporary table queries (kind text, terms text);
insert into queries values ('a rare word', '''rare#'''), ('a word of most notes', '''the'''), ('two common words', '''the'' & ''is'''),
        ('a common and a rare word', '''the'' & ''rare#'''), ('a phrase', '''in'' <-> ''the'''), ('a beginning', '''rare#'':*'),
        ('one of two', '''rare#'' | ''computer''');
create temporary table results as select q.kind, o.p50, o.p99, t.p50 as plain_p50, t.p99 as plain_p99
        from queries q, measure(q.kind, ours(q.terms, :notes), :rounds) o, measure(q.kind, plain(q.terms), least(:rounds, 5)) t;

select exists (select from pg_available_extensions where name = 'rum') as rum \gset
\if :rum
create extension rum;
\set started `date +%s%3N`
create index search_index_rum on search_index using rum (words rum_tsvector_ops);
\set ended `date +%s%3N`
insert into facts values ('RUM built, s', round((:ended - :started) / 1000.0, 1)::text);
insert into facts select 'RUM, MiB', (pg_relation_size('search_index_rum') >> 20)::text;
set enable_seqscan = off;
create function by_rum(terms text) returns text language sql as $$
        select format('select note_id from search_index order by words <=> %1$L::tsquery limit 20', terms)
$$;
create temporary table rum_results as select q.kind, r.p50, r.p99
        from queries q, measure(q.kind, replace(by_rum(q.terms), 'search_index order', format('search_index where words @@ %L order', q.terms)), least(:rounds, 5)) r;
\else
create temporary table rum_results (kind text, p50 numeric, p99 numeric);
\endif
\pset format aligned
\pset linestyle ascii
\pset border 2
select * from facts;
select r.kind, r.p50, r.p99, r.plain_p50, r.plain_p99, m.p50 as rum_p50, m.p99 as rum_p99 from results r left join rum_results m on m.kind = r.kind;
