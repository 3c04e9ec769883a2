-- What every service's database has: idempotency keys, the outbox and what consumers remember. Run before the service's own migrations.

-- Trigger of every table with updated_at.
create function update_updated_at_column() returns trigger
language plpgsql as $$
begin
        new.updated_at = now();
        return new;
end
$$;

-- Answers of methods that take Idempotency-Key, kept a day in the transaction of their effect (db/idempotency.c). Nobody is the nil UUID.
create table idempotency_keys (
        actor_id   uuid        not null,
        method     text        not null,
        key        text        not null,
        body_hash  bytea       not null,
        answer     bytea       not null,
        created_at timestamptz not null default now(),
        primary key (actor_id, method, key)
);
create index idempotency_keys_created_at on idempotency_keys (created_at);

-- The log of events (bus/outbox.c). position is dense, given by the relay after commit; NULL until then.
create table outbox (
        id           bigint      generated always as identity primary key,
        position     bigint,
        event_id     uuid        not null,
        type         text        not null,
        aggregate_id uuid        not null,
        object_id    uuid,
        actor_id     uuid,
        version      bigint      not null default 0,
        trace_id     text        not null default '',
        occurred_at  timestamptz not null
);
create index outbox_unplaced on outbox (id) where position is null;
create unique index outbox_position on outbox (position);

-- One row: the newest position given out. It outlives the rows, so that numbers never start again. log_id tells this log from that of
-- another installation whose stream may lie in the same Redis.
create table outbox_head (
        only_row boolean primary key default true check (only_row),
        position bigint  not null,
        log_id   uuid    not null default gen_random_uuid()
);
insert into outbox_head (position) values (0);

-- Up to where this service has taken each source's events (bus/runner.c).
create table consumer_positions (
        source     text        primary key,
        position   bigint      not null,
        updated_at timestamptz not null default now()
);
create trigger consumer_positions_updated_at before update on consumer_positions
        for each row execute function update_updated_at_column();

-- Events whose handler failed for good (bus/dead_letters.c).
create table dead_letters (
        id               bigint      generated always as identity primary key,
        source           text        not null,
        position         bigint      not null,
        type             text        not null,
        aggregate_id     uuid        not null,
        event            bytea       not null,
        error            text        not null,
        attempts         integer     not null,
        failed_at        timestamptz not null default now(),
        replay_requested boolean     not null default false,
        unique (source, position)
);
create index dead_letters_requested on dead_letters (id) where replay_requested;

-- Idempotency keys over a day and events over seven days that were given a position. In portions, so that no run holds rows for long:
-- call again while it returns the portion's size.
create function cleanup_old_data(portion integer default 10000, out idempotency_keys_deleted bigint, out outbox_deleted bigint)
language plpgsql as $$
begin
        with old as (
                select actor_id, method, key from idempotency_keys
                where created_at < now() - interval '24 hours' limit portion for update skip locked
        )
        delete from idempotency_keys k using old
        where (k.actor_id, k.method, k.key) = (old.actor_id, old.method, old.key);
        get diagnostics idempotency_keys_deleted = row_count;

        with old as (
                select id from outbox
                where position is not null and occurred_at < now() - interval '7 days' order by position limit portion for update skip locked
        )
        delete from outbox o using old where o.id = old.id;
        get diagnostics outbox_deleted = row_count;
end
$$;
