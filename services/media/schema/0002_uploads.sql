-- Uploads that come in pieces (tus 1.0). A row says what was acknowledged; its chunks are files MEDIA_DIR/chunks/ID, on disk before their rows.

create table upload_sessions (
        id             uuid        primary key,
        owner_id       uuid        not null,
        length         bigint      check (length > 0), -- null: not known yet
        received_bytes bigint      not null default 0 check (received_bytes >= 0 and received_bytes <= coalesce(length, received_bytes)),
        reserved_bytes bigint      not null default 0, -- of the owner's quota
        is_partial     boolean     not null default false,
        metadata       text        not null default '', -- as the client gave it
        concat         text        not null default '',
        media_id       uuid,                            -- what became of it
        fenced_at      timestamptz not null default '-infinity', -- somebody asked how far it is: what broke off and began earlier counts no more
        expires_at     timestamptz not null,
        created_at     timestamptz not null default now(),
        updated_at     timestamptz not null default now()
);
create index upload_sessions_expired on upload_sessions (expires_at);
create index upload_sessions_of_owner on upload_sessions (owner_id);
create trigger upload_sessions_updated before update on upload_sessions for each row execute function update_updated_at_column();

create table upload_chunks (
        id         uuid        primary key,
        session_id uuid        not null references upload_sessions,
        position   bigint      not null,
        size_bytes bigint      not null check (size_bytes > 0),
        created_at timestamptz not null default now(),
        unique (session_id, position)
);
