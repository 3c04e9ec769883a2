-- Who fetched media that are not public, or was refused them: kept for 30 days, the media's own life or not. Requests that are alike and come within
-- a second are one row.
create table media_access_logs (
        id         uuid        primary key, -- version 7
        media_id   uuid        not null,
        owner_id   uuid        not null,
        viewer_id  uuid,                    -- null: nobody who was logged in
        variant    text        not null,
        is_granted boolean     not null,
        times      bigint      not null check (times > 0),
        created_at timestamptz not null     -- of the first
);
create index media_access_logs_of_media on media_access_logs (media_id, id desc);
create index media_access_logs_of_owner on media_access_logs (owner_id);
create index media_access_logs_of_viewer on media_access_logs (viewer_id, id) where viewer_id is not null;
create index media_access_logs_old on media_access_logs (created_at);
