-- What must not be kept here: by the SHA-256 of a file as it came or as it is given out, and by how a picture looks.
alter table media_files add column perceptual_hash bit(64); -- null: not processed yet, or it shows too little to have one

create table media_blocks (
        id              uuid        primary key, -- version 7
        content_sha256  bytea       unique,
        perceptual_hash bit(64)     unique,
        reason          text        not null,
        is_applied      boolean     not null default false, -- to what was here before
        applied_to      uuid,                               -- as far as that is: the last media that was looked at
        created_at      timestamptz not null default now(),
        updated_at      timestamptz not null default now(),
        check (num_nonnulls(content_sha256, perceptual_hash) = 1)
);
create index media_blocks_to_apply on media_blocks (id) where not is_applied;
create trigger media_blocks_updated before update on media_blocks for each row execute function update_updated_at_column();
