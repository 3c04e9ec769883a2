-- Home timelines: the durable tail behind Redis.

-- One row a member whose timeline is materialised; delivery passes the others over, and those who have not read for 30 days.
create table timeline_cache (
        owner_id          uuid        primary key,
        relations_version bigint      not null default 0,     -- of follow_service: whom the entries take into account
        floor_id          uuid        not null default '00000000-0000-0000-0000-000000000000', -- from here up no entry is missing
        built_at          timestamptz,                        -- null until the first build is done
        read_at           timestamptz not null default now(), -- to the day
        updated_at        timestamptz not null default now()
);

-- No foreign key: its lock on the owner's row would make deliveries to one member wait for each other.
create table timeline_entries (
        owner_id  uuid not null,
        note_id   uuid not null,
        author_id uuid not null,
        primary key (owner_id, note_id)
);
create index timeline_entries_of_note on timeline_entries (note_id);

create trigger timeline_cache_updated before update on timeline_cache for each row execute function update_updated_at_column();
