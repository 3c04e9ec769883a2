-- How far the index has been held against its owners since somebody asked for it. A new database asks once: what was written before search_service
-- was there is older than the events that are kept.
create table search_rebuild (
        kind       text        primary key check (kind in ('members', 'notes')),
        after_id   uuid        not null default '00000000-0000-0000-0000-000000000000',
        checked    bigint      not null default 0,
        done_at    timestamptz,
        created_at timestamptz not null default now(),
        updated_at timestamptz not null default now()
);
create trigger search_rebuild_updated before update on search_rebuild for each row execute function update_updated_at_column();
insert into search_rebuild (kind) values ('members'), ('notes');

-- Counts come with the words now.
delete from consumer_positions where consumer = 'count_notes';
