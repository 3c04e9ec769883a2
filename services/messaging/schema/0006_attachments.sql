-- The media that messages show, and the object as which media_service knows the message; null: it was passed on, and shows them as long as
-- the message that it came from.
create table message_attachments (
        message_id uuid        not null,
        position   smallint    not null,
        media_id   uuid        not null,
        object_id  uuid,
        created_at timestamptz not null default now(),
        primary key (message_id, position)
);
