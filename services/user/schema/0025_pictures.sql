-- Avatars and headers: media of the member, and under which name media_service knows that an account shows them.
alter table users
        add column avatar_id     uuid,
        add column avatar_use_id uuid,
        add column header_id     uuid,
        add column header_use_id uuid;
create index users_by_avatar on users (avatar_id) where avatar_id is not null;
create index users_by_header on users (header_id) where header_id is not null;
