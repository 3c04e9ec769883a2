-- The picture of a group or a channel, and the object as which media_service knows that the chat shows it.
alter table chats
        add column picture_id     uuid,
        add column picture_use_id uuid;
