-- What members bring. Bytes lie in the folder MEDIA_DIR, each content once, under its SHA-256; rows say whose they are and what.

-- One row for each member who ever brought something. All that changes their files locks it first.
create table user_storage_quotas (
        user_id        uuid        primary key,
        used_bytes     bigint      not null default 0 check (used_bytes >= 0),     -- of each content once, as it came
        reserved_bytes bigint      not null default 0 check (reserved_bytes >= 0), -- announced by uploads
        created_at     timestamptz not null default now(),
        updated_at     timestamptz not null default now()
);
create trigger user_storage_quotas_updated before update on user_storage_quotas for each row execute function update_updated_at_column();

create table media_files (
        id             uuid        primary key, -- version 7
        owner_id       uuid        not null,
        kind           smallint    not null check (kind between 1 and 3),   -- media.proto, Kind
        status         smallint    not null check (status between 1 and 3), -- media.proto, Status
        reason         text        not null default '',
        mime_type      text        not null,
        file_name      text        not null,
        size_bytes     bigint      not null check (size_bytes > 0), -- as it came
        upload_sha256  bytea       not null,
        content_sha256 bytea,                                       -- of the original as it is given out, once it is ready
        width          integer     not null default 0,
        height         integer     not null default 0,
        duration_ms    bigint      not null default 0,
        alt_text       text        not null default '',
        focus_x        integer     not null default 0 check (focus_x between -1000000 and 1000000), -- millionths
        focus_y        integer     not null default 0 check (focus_y between -1000000 and 1000000),
        blurhash       text        not null default '',
        dominant_color text        not null default '',
        created_at     timestamptz not null default now(),
        updated_at     timestamptz not null default now()
);
create index media_files_of_owner on media_files (owner_id, id desc);
create index media_files_of_owner_by_upload on media_files (owner_id, upload_sha256);
create index media_files_by_upload on media_files (upload_sha256);
create index media_files_by_content on media_files (content_sha256) where content_sha256 is not null;
create trigger media_files_updated before update on media_files for each row execute function update_updated_at_column();
