-- How members want to be told. Numbers are those of the contract (Delivery, FilterAction); 0: as by default.
-- Serves programs from: 0002

create table notification_preferences (
        user_id    uuid        not null,
        type       text        not null,
        in_app     smallint    not null,
        push       smallint    not null,
        email      smallint    not null,
        sms        smallint    not null,
        created_at timestamptz not null default now(),
        primary key (user_id, type)
);

-- What holds for all types; a row for who chose something.
create table notification_choices (
        user_id         uuid        primary key,
        not_followed    smallint    not null default 0,
        not_following   smallint    not null default 0,
        new_account     smallint    not null default 0,
        private_mention smallint    not null default 0,
        digest_hour     smallint    not null default 8,
        time_zone       text        not null default '', -- '': that of the settings
        quiet_days      bigint[]    not null default '{}', -- of each window: bit 0 is Sunday
        quiet_from      bigint[]    not null default '{}', -- minutes of the day
        quiet_until     bigint[]    not null default '{}',
        loud            text[]      not null default '{}', -- types that pass quiet hours
        created_at      timestamptz not null default now(),
        updated_at      timestamptz not null default now()
);
create trigger notification_choices_updated before update on notification_choices for each row execute function update_updated_at_column();

-- Conversations that members are told nothing of, by the note that each began with.
create table muted_threads (
        user_id    uuid        not null,
        root_id    uuid        not null,
        created_at timestamptz not null default now(),
        primary key (user_id, root_id)
);

-- Members of whose new notes others are told.
create table watched_members (
        author_id  uuid        not null,
        user_id    uuid        not null, -- who is told
        created_at timestamptz not null default now(),
        primary key (author_id, user_id)
);
create index watched_members_of_member on watched_members (user_id, author_id);
