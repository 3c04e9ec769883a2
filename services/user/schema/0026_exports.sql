-- Archives of what all services keep of a member: made part by part by the job exports, gone with the account or after EXPORT_DAYS.
create table user_exports (
        id         uuid        primary key,
        user_id    uuid        not null constraint user_exports_one unique references users on delete cascade,
        service    text        not null default '', -- whose kind of items is read next; '': nothing was read
        kind       text        not null default '',
        after      text        not null default '', -- the position of the item that was read last
        progress   integer     not null default 0,  -- percent
        parts      integer     not null default 0,
        items      bigint      not null default 0,
        size_bytes bigint      not null default 0,
        tried_at   timestamptz not null default now(), -- the one that waited longest goes on
        ready_at   timestamptz,
        expires_at timestamptz,
        created_at timestamptz not null default now(),
        updated_at timestamptz not null default now()
);
create index user_exports_running on user_exports (tried_at) where ready_at is null;
create index user_exports_expiry on user_exports (expires_at) where ready_at is not null;
create trigger user_exports_updated before update on user_exports for each row execute function update_updated_at_column();

create table user_export_parts (
        export_id  uuid        not null references user_exports on delete cascade,
        position   integer     not null,
        data       bytea       not null,
        created_at timestamptz not null default now(),
        primary key (export_id, position)
);
