-- Files that those who look after the network ask for: made part by part by the job make_exports, deleted after some days. Nothing says who asked.
create table analytics_exports (
        id         uuid        primary key,
        kind       integer     not null,             -- analytics.proto, ExportKind
        format     integer     not null,             -- ExportFormat
        grain      integer     not null,             -- Interval
        names      text[]      not null,
        from_at    timestamptz not null,
        to_at      timestamptz not null,
        portions   bigint      not null,             -- how many portions it has,
        done       bigint      not null default 0,   -- of which so many are made,
        parts      integer     not null default 0,   -- in so many parts
        rows       bigint      not null default 0,
        size_bytes bigint      not null default 0,
        tries      integer     not null default 0,   -- of the next portion
        failure    text        not null default '',
        tried_at   timestamptz not null default now(), -- the one that waited longest goes on
        ready_at   timestamptz,
        expires_at timestamptz not null,
        created_at timestamptz not null default now(),
        updated_at timestamptz not null default now()
);
create index analytics_exports_running on analytics_exports (tried_at) where ready_at is null and failure = '';
create index analytics_exports_expiry on analytics_exports (expires_at);
create trigger analytics_exports_updated before update on analytics_exports for each row execute function update_updated_at_column();

create table analytics_export_parts (
        export_id  uuid        not null references analytics_exports on delete cascade,
        position   integer     not null,
        data       bytea       not null,
        created_at timestamptz not null default now(),
        primary key (export_id, position)
);
