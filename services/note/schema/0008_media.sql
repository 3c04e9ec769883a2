-- What notes show beside their text; media_service has the media themselves.
create table note_media (
        note_id  uuid     not null references notes on delete cascade,
        position smallint not null,
        media_id uuid     not null,
        primary key (note_id, position)
);
