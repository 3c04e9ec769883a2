-- What devices have acknowledged, as far as the others may be told of it, and who is here.
alter table chat_participants add column delivered_seq bigint not null default 0; -- a device of theirs has the messages up to it
alter table read_receipts add column delivered_seq bigint not null default 0;     -- the same, as the others are shown it

-- When members were last here. Worth little after a crash.
create unlogged table presence (
        user_id    uuid        primary key,
        seen_at    timestamptz not null,
        until_at   timestamptz not null, -- so long they count as here
        created_at timestamptz not null default now()
);
