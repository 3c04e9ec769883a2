-- What becomes of messages: edits, deletions, reactions, answers, pins, an end. And what each member has of a chat for themselves.

alter table messages
        add column edited_at   timestamptz,
        add column deleted_at  timestamptz,
        add column expires_at  timestamptz,
        add column reply_to_id uuid,
        add column note_id     uuid, -- shared
        add column forwarded   boolean not null default false;
create index messages_replies on messages (reply_to_id, n) where reply_to_id is not null;
create index messages_expiry on messages (expires_at) where expires_at is not null and deleted_at is null;

-- What a message said before each edit.
create table message_edits (
        message_id uuid        not null,
        seq        bigint      not null, -- of the edit that ended it
        text       text        not null,
        created_at timestamptz not null, -- since when it said so
        primary key (message_id, seq)
);

-- Deleted for oneself.
create table message_hides (
        user_id    uuid        not null,
        message_id uuid        not null,
        created_at timestamptz not null default now(),
        primary key (user_id, message_id)
);

create table message_reactions (
        message_id uuid        not null,
        user_id    uuid        not null,
        emoji      text        not null,
        created_at timestamptz not null default now(),
        primary key (message_id, user_id, emoji)
);
create table message_reaction_counts (
        message_id uuid        not null,
        emoji      text        not null,
        count      bigint      not null,
        created_at timestamptz not null default now(),
        updated_at timestamptz not null default now(),
        primary key (message_id, emoji)
);
create trigger message_reaction_counts_updated before update on message_reaction_counts for each row execute function update_updated_at_column();

create table chat_pins (
        chat_id    uuid        not null,
        message_id uuid        not null,
        seq        bigint      not null, -- of the message
        created_at timestamptz not null default now(),
        primary key (chat_id, message_id)
);

alter table chats
        add column expires_in_s integer not null default 0, -- of new messages; 0: they stay
        add column ended_at     timestamptz;                -- deleted for all

alter table chat_participants
        add column archived    boolean     not null default false,
        add column pinned      boolean     not null default false,
        add column muted_until timestamptz,
        add column draft       text        not null default '';
