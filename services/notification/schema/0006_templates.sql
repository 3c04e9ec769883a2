-- What notifications say, as administrators saved it: all versions, since the log of deliveries names them.
-- Serves programs from: 0004

create table notification_templates (
        channel    smallint    not null,              -- decide.h, enum channel
        type       text        not null,              -- of notifications, or that of a mail: templates.h
        language   text        not null,
        version    bigint      not null,
        source     text        not null,              -- '': what the program says by itself again
        created_at timestamptz not null default now(),
        primary key (channel, type, language, version)
);
comment on table notification_templates is 'append-only: the log of deliveries names versions';

alter table notification_delivery_logs add column templates text[] not null default '{}'; -- "like/email/de@3"; 0: the program's own
