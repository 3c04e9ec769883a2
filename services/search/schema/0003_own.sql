-- What members asked for, and what they keep to ask again.

-- Off when the setting privacy.search_history is.
alter table search_members add keeps_history boolean not null default true;

create table search_history (
        id         uuid        primary key, -- version 7, a new one at each use
        user_id    uuid        not null,
        query_key  text        collate "C" not null, -- folded
        query      text        not null,
        used_at    timestamptz not null default now(),
        created_at timestamptz not null default now(),
        unique (user_id, query_key)
);
create index search_history_newest on search_history (user_id, id desc);
create index search_history_age on search_history (used_at);

-- How many people have a query in their history: what enough of them asked is suggested to others.
create table search_suggestions (
        query_key  text        collate "C" primary key,
        query      text        not null,
        people     bigint      not null,
        created_at timestamptz not null default now()
);

-- In the order of the queries: two that write at once cannot wait for each other.
create function search_count_queries() returns trigger language plpgsql as $$
begin
        if tg_op = 'INSERT' then
                insert into search_suggestions as s (query_key, query, people)
                select query_key, min(query), count(*) from added group by query_key order by query_key
                on conflict (query_key) do update set people = s.people + excluded.people;
        else
                perform from search_suggestions where query_key in (select query_key from removed) order by query_key for update;
                update search_suggestions s set people = s.people - r.n
                from (select query_key, count(*) as n from removed group by query_key) r where s.query_key = r.query_key;
                delete from search_suggestions where people <= 0 and query_key in (select query_key from removed);
        end if;
        return null;
end
$$;
create trigger search_history_added after insert on search_history referencing new table as added
        for each statement execute function search_count_queries();
create trigger search_history_removed after delete on search_history referencing old table as removed
        for each statement execute function search_count_queries();

create table saved_searches (
        id         uuid        primary key, -- version 7
        user_id    uuid        not null,
        name       text        not null,
        query      text        not null,
        type       smallint    not null,
        sort       smallint    not null,
        anchors    text[],                  -- with alerts: a note that is found has one of these words; null: without alerts
        created_at timestamptz not null default now()
);
create index saved_searches_newest on saved_searches (user_id, id desc);
create index saved_searches_anchors on saved_searches using gin (anchors);

-- What a note has of anchors: its lexemes, and how its words begin ("gar*").
create function search_anchors(words tsvector) returns text[] language sql immutable as $$
        select tsvector_to_array(words) || coalesce(array_agg(distinct left(word, n) || '*'), '{}')
        from unnest(tsvector_to_array(words)) as word, generate_series(1, 3) as n where word !~ '^[#:~/@]'
$$;
