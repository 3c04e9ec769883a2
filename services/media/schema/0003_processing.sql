-- What is to be processed, what came of it, and what nothing refers to any more.

-- A row for each media that is to be processed. Who takes it moves due_at behind the time that it may take: a lease.
create table media_processing_jobs (
        media_id   uuid        primary key references media_files on delete cascade,
        due_at     timestamptz not null default now(),
        attempts   integer     not null default 0,
        created_at timestamptz not null default now(),
        updated_at timestamptz not null default now()
);
create index media_processing_jobs_due on media_processing_jobs (due_at);
create trigger media_processing_jobs_updated before update on media_processing_jobs for each row execute function update_updated_at_column();

create table media_variants (
        media_id   uuid        not null references media_files on delete cascade,
        name       text        not null, -- large, medium, small, thumb
        mime_type  text        not null,
        width      integer     not null,
        height     integer     not null,
        size_bytes bigint      not null,
        sha256     bytea       not null,
        created_at timestamptz not null default now(),
        primary key (media_id, name)
);
create index media_variants_by_content on media_variants (sha256);

-- Blobs that a row referred to and no longer does: a job removes those to which no other does.
create table media_unreferenced (
        sha256     bytea       primary key,
        created_at timestamptz not null default now()
);

-- Written as the rows go, whatever makes them go.
create function media_unreference() returns trigger language plpgsql as $$
begin
        if tg_table_name = 'media_variants' then
                insert into media_unreferenced (sha256) values (old.sha256) on conflict do nothing;
        else
                insert into media_unreferenced (sha256)
                select sha256 from (values (old.upload_sha256), (old.content_sha256)) as gone (sha256) where sha256 is not null
                on conflict do nothing;
        end if;
        return null;
end
$$;
create trigger media_variants_gone after delete on media_variants for each row execute function media_unreference();
create trigger media_files_gone after delete or update of content_sha256, status on media_files for each row execute function media_unreference();

-- What came before there was processing is processed now.
update media_files set status = 1, content_sha256 = null;
insert into media_processing_jobs (media_id) select id from media_files;
