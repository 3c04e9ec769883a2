-- What goes out of this network: to whom, what waits, and what became of it.
-- Serves programs from: 0003

create table push_subscriptions (
        id            uuid        primary key,
        user_id       uuid        not null,
        session_id    uuid,                         -- it ends with the session
        endpoint      text        not null,
        endpoint_hash bytea       not null unique,  -- SHA-256: a browser has one subscription, whoever is logged in
        p256dh        text        not null,
        auth          text        not null,
        created_at    timestamptz not null default now()
);
create index push_subscriptions_of_member on push_subscriptions (user_id, id);
create index push_subscriptions_of_session on push_subscriptions (session_id);

-- One delivery per notification and channel; of pushes that one browser's push service put off, one more for that browser.
create table notification_queue (
        id              uuid        primary key,
        notification_id uuid        not null references notifications on delete cascade,
        user_id         uuid        not null,
        channel         smallint    not null,              -- decide.h, enum channel
        target_id       uuid        not null default '00000000-0000-0000-0000-000000000000', -- of push_subscriptions
        hold            smallint    not null,              -- enum hold: what is held is told together
        due_at          timestamptz not null,              -- while it is leased: when it is tried again
        attempts        smallint    not null default 0,
        created_at      timestamptz not null default now(),
        unique (notification_id, channel, target_id)
);
create index notification_queue_due on notification_queue (channel, due_at, id);
create index notification_queue_held on notification_queue (user_id, channel, id) where hold > 0;

-- What became of each attempt, for 30 days.
create table notification_delivery_logs (
        id              uuid        primary key,           -- version 7: in the order of time
        notification_id uuid        not null,
        user_id         uuid        not null,
        channel         smallint    not null,
        provider        text        not null,              -- the push service; never an address of a member
        outcome         text        not null,              -- sent, gone, refused, later
        status          integer     not null,              -- of HTTP; 0: there was no answer
        took_ms         integer     not null,
        created_at      timestamptz not null default now()
);
create index notification_delivery_logs_of_notification on notification_delivery_logs (notification_id, id);
create index notification_delivery_logs_of_member on notification_delivery_logs (user_id, id);
create index notification_delivery_logs_by_age on notification_delivery_logs (created_at);

alter table notification_choices add column show_content boolean not null default true;
