-- Serves programs from: 0003
-- Consumers own their positions: the release before has one position for all consumers of a source, and cannot go on beside these.

-- Up to where a consumer, or a lane of one, has taken a source's events, and in which log (bus/position.c). cursor: what was done of the
-- next event, by the words of its handler.
alter table consumer_positions
        add column consumer text    not null default '',
        add column lane     integer not null default 0,
        add column cursor   text    not null default '',
        add column log_id   uuid,
        drop constraint consumer_positions_pkey,
        add primary key (consumer, source, lane);

-- No two letters are of one event: a letter and the position behind it are one transaction. A log that came from a backup gives its positions
-- a second time.
alter table dead_letters add column consumer text not null default '', drop constraint dead_letters_source_position_key;

-- log_start: the position at which the log took its name: what stands behind it may differ from what was read under another name.
-- origin: of the server that gave out the newest position (bus/log_name.c).
alter table outbox_head
        add column log_start bigint not null default 0,
        add column origin    text   not null default '';

-- Who relays, and who runs which lane, where many processes may (bus/lease.c): the holder of a row keeps counting, and whoever sees it stand
-- still takes it. Worth nothing after a crash.
create unlogged table bus_leases (
        name     text        primary key,
        holder   uuid        not null,
        beats    bigint      not null default 0,
        taken_at timestamptz not null default now()
);
