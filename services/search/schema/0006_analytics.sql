-- What is searched for, without who: only of queries that enough people have in their histories, and deleted with them.
alter table search_suggestions add id uuid not null unique default gen_random_uuid();

create table search_analytics (
        query_id   uuid        not null references search_suggestions (id) on delete cascade,
        day        date        not null,
        slot       smallint    not null, -- of eight, so that those who ask the same need not wait for each other
        searches   bigint      not null default 0,
        no_results bigint      not null default 0,
        took_ms    bigint      not null default 0, -- of all together
        longest_ms bigint      not null default 0,
        clicks     bigint      not null default 0,
        positions  bigint      not null default 0, -- of all clicks together
        created_at timestamptz not null default now(),
        primary key (query_id, day, slot)
);
create index search_analytics_day on search_analytics (day);
