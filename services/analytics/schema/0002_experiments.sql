-- Experiments. Who is in which variant is computed, never stored (assign.c): from the experiment and the member's pseudonym.
create table experiments (
        id           uuid        primary key,
        name         text        not null unique,
        layer        text        not null,             -- of one layer a member is in one running experiment at most
        from_percent integer     not null check (from_percent >= 0),
        to_percent   integer     not null check (to_percent <= 100 and to_percent > from_percent),
        variants     text        not null,             -- names, apart by commas; the first one is the control
        metric       text        not null,             -- the event that is counted after the first exposure
        started_at   timestamptz,
        stopped_at   timestamptz,
        created_at   timestamptz not null default now(),
        updated_at   timestamptz not null default now()
);
create trigger experiments_updated before update on experiments for each row execute function update_updated_at_column();
create index experiments_running on experiments (layer) where started_at is not null and stopped_at is null;
create index user_events_object on user_events (object_id, at) where object_id is not null;

-- 0 to 9999, by which layers and experiments are divided: the first 52 bits of SHA-256 of "scope:visitor", modulo 10,000 (assign.c).
create function analytics_bucket(scope text, visitor uuid) returns integer
language sql immutable strict parallel safe as $$
        select (('x' || left(encode(sha256(convert_to(scope || ':' || visitor::text, 'UTF8')), 'hex'), 13))::bit(52)::bigint % 10000)::integer
$$;
