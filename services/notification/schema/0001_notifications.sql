-- What members are told, and by whom: a row of notifications is what a list shows, and may stand for many who did the same.

create table notifications (
        id            uuid        primary key,
        user_id       uuid        not null,                -- who is told
        type          text        not null,
        group_key     text        not null,                -- what is told together
        box           smallint    not null default 1,              -- decide.h: the list, the requests, or neither
        rule          text        not null default 'default',              -- why it is told, and there: decide.h, enum reason
        filter        text        not null default '',              -- which filter keeps it as a request; '' for none
        note_id       uuid,                                -- what it is about
        open          boolean     not null default true,   -- others may join; not once it was read, archived, or is full
        latest_at     timestamptz not null,                -- its place in lists; of one that is snoozed, when it comes back
        seen_at       timestamptz,
        read_at       timestamptz,
        archived_at   timestamptz,
        snoozed_until timestamptz,
        created_at    timestamptz not null default now(),
        updated_at    timestamptz not null default now()
);
create unique index notifications_open on notifications (group_key, user_id, box) where open;
create index notifications_of_group on notifications (group_key, user_id);
create index notifications_newest on notifications (user_id, latest_at, id) where archived_at is null and box = 1;
create index notifications_archived on notifications (user_id, latest_at, id) where archived_at is not null and box = 1;
create index notifications_unread on notifications (user_id, latest_at, id)
        where read_at is null and archived_at is null and box = 1;
create index notifications_requests on notifications (user_id, latest_at, id) where box = 2;
create index notifications_unlisted on notifications (user_id) where box = 3;
create index notifications_by_age on notifications (latest_at);

create trigger notifications_updated before update on notifications for each row execute function update_updated_at_column();

create table notification_actors (
        notification_id uuid        not null references notifications on delete cascade,
        actor_id        uuid        not null,
        created_at      timestamptz not null,
        primary key (notification_id, actor_id)
);
create index notification_actors_newest on notification_actors (notification_id, created_at, actor_id);
create index notification_actors_of_member on notification_actors (actor_id, notification_id);
