-- Where media are shown. One that something public shows is given to everybody who has its address; others need a signature.
create table media_uses (
        media_id   uuid        not null references media_files on delete cascade,
        object_id  uuid        not null, -- a note
        is_public  boolean     not null,
        created_at timestamptz not null default now(),
        primary key (media_id, object_id)
);
create index media_uses_of_object on media_uses (object_id);
