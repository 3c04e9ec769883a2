-- Chats, who is in them, and their logs. docs/messaging.md says what must hold.

-- Where the ids of a month begin: version 7 ids sort by time, so that partitions by id are partitions by month.
create function month_of(at timestamptz) returns timestamptz
language sql immutable as $$ select date_trunc('month', at at time zone 'UTC') at time zone 'UTC' $$;
create function first_id_of(at timestamptz) returns uuid
language sql immutable as $$ select (lpad(to_hex((extract(epoch from at) * 1000)::bigint), 12, '0') || '00000000000000000000')::uuid $$;
create function month_after(at timestamptz) returns timestamptz
language sql immutable as $$ select month_of(month_of(at) + interval '32 days') $$;

create table chats (
        id          uuid        primary key,
        kind        smallint    not null check (kind between 1 and 3), -- messaging_chats.proto, ChatKind
        title       text        not null default '',
        creator_id  uuid        not null,
        peer_low    uuid,                        -- of a direct chat: its two members, the lower id first
        peer_high   uuid,
        history     boolean     not null default false, -- who comes is shown what was said before
        last_seq    bigint      not null default 0,     -- of the newest entry of its log
        last_n      bigint      not null default 0,     -- and how many of them are messages
        last_ms     bigint      not null default 0,     -- when that was: ids of a log never go back in time
        members     integer     not null default 0,
        active_at   timestamptz(3) not null default now(), -- the newest message
        changed_xid xid8        not null default pg_current_xact_id(),
        created_at  timestamptz not null default now(),
        updated_at  timestamptz not null default now(),
        check ((kind = 1) = (peer_low is not null and peer_high is not null and peer_low < peer_high))
);
create unique index chats_direct on chats (peer_low, peer_high) where kind = 1;
create trigger chats_updated before update on chats for each row execute function update_updated_at_column();

create table chat_participants (
        chat_id     uuid        not null,
        user_id     uuid        not null,
        role        smallint    not null check (role between 1 and 4),  -- Role
        state       smallint    not null check (state between 1 and 5), -- messaging_rows.proto, MemberState
        visible     int8multirange not null default '{}', -- what they may read: membership over time
        read_seq    bigint      not null default 0,
        read_n      bigint      not null default 0, -- how many messages there are up to read_seq
        changed_xid xid8        not null default pg_current_xact_id(),
        created_at  timestamptz not null default now(),
        updated_at  timestamptz not null default now(),
        primary key (chat_id, user_id)
);
create index chat_participants_of_user on chat_participants (user_id, chat_id);
create trigger chat_participants_updated before update on chat_participants for each row execute function update_updated_at_column();

-- The log of each chat, an entry a number. Partitions by month of the id, made ahead by a job, in a schema of their own.
create table messages (
        id         uuid        not null,
        chat_id    uuid        not null,
        seq        bigint      not null,
        n          bigint      not null, -- how many messages there are up to this entry
        kind       smallint    not null, -- ChangeKind
        sender_id  uuid        not null,
        target_id  uuid,                 -- the message that is changed, or the member whose membership is
        text       text        not null default '',
        client_id  uuid,                 -- what it was sent under
        xid        xid8        not null default pg_current_xact_id(),
        created_at timestamptz not null default now(),
        primary key (id)
) partition by range (id);
create index messages_pages on messages (chat_id, n) where kind = 1;

create schema message_months;
create function create_message_months(at timestamptz, months integer) returns integer
language plpgsql security definer set search_path = public, pg_temp as $$
declare
        made integer := 0;
        month timestamptz := month_of(at);
        name text;
begin
        for i in 1..least(greatest(months, 1), 24) loop
                name := 'messages_' || to_char(month at time zone 'UTC', 'YYYY_MM');
                if to_regclass('message_months.' || name) is null then
                        perform pg_advisory_xact_lock(hashtext('create_message_months'));
                        execute format('create table if not exists message_months.%I partition of public.messages for values from (%L) to (%L)',
                                       name, first_id_of(month), first_id_of(month_after(month)));
                        execute format('create unique index if not exists %I on message_months.%I (chat_id, seq)', name || '_seq', name);
                        made := made + 1;
                end if;
                month := month_after(month);
        end loop;
        return made;
end
$$;
select create_message_months(now() - interval '1 day', 4);

-- In which month the numbers of a chat's log lie: what is read by number is read from the partitions that have it alone.
create table chat_months (
        chat_id    uuid        not null,
        first_seq  bigint      not null,
        first_n    bigint      not null, -- the first message of the month has this number or a later one
        from_id    uuid        not null,
        before_id  uuid        not null,
        created_at timestamptz not null default now(),
        primary key (chat_id, first_seq)
);

-- What was sent under a client's id is found for ever.
create table message_client_ids (
        sender_id  uuid        not null,
        client_id  uuid        not null,
        chat_id    uuid        not null,
        message_id uuid        not null,
        created_at timestamptz not null default now(),
        primary key (sender_id, client_id)
);

-- How far each device of a member has come, as the others are shown it.
create table read_receipts (
        chat_id    uuid        not null,
        user_id    uuid        not null,
        read_seq   bigint      not null,
        created_at timestamptz not null default now(),
        updated_at timestamptz not null default now(),
        primary key (chat_id, user_id)
);
create trigger read_receipts_updated before update on read_receipts for each row execute function update_updated_at_column();
