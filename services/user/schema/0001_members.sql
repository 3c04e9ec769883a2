-- Members, their sessions, their logins and their counts.

create table users (
        id            uuid        primary key,
        username      text        not null,
        username_key  text        collate "C" not null constraint users_username_taken unique, -- NFKC casefold of username
        email         text        not null,
        email_key     text        collate "C" not null constraint users_email_taken unique,
        password_hash text        not null,
        display_name  text        not null,
        bio           text        not null default '',
        epoch         bigint      not null default 0, -- grows when all access tokens of the member must end
        created_at    timestamptz not null default now(),
        updated_at    timestamptz not null default now()
);

create table user_sessions (
        id                 uuid        primary key,
        user_id            uuid        not null references users on delete cascade,
        refresh_salt       bytea       not null, -- with the key file it makes the refresh tokens; neither alone does
        refresh_generation integer     not null default 1, -- the one token that still works
        user_agent         text        not null,
        created_at         timestamptz not null default now(),
        last_used_at       timestamptz not null default now(),
        ended_at           timestamptz,
        updated_at         timestamptz not null default now()
);
create index user_sessions_running on user_sessions (user_id, id desc) where ended_at is null;
create index user_sessions_ended on user_sessions (ended_at) where ended_at is not null;

create table user_login_history (
        id         uuid        primary key,
        user_id    uuid        not null references users on delete cascade,
        succeeded  boolean     not null,
        address    text        not null,
        user_agent text        not null,
        created_at timestamptz not null default now()
);
create index user_login_history_failures on user_login_history (user_id, created_at) where not succeeded;
create index user_login_history_age on user_login_history (created_at);

create table user_stats (
        user_id    uuid        primary key references users on delete cascade,
        notes      bigint      not null default 0,
        followers  bigint      not null default 0,
        following  bigint      not null default 0,
        updated_at timestamptz not null default now()
);

create trigger users_updated before update on users for each row execute function update_updated_at_column();
create trigger user_sessions_updated before update on user_sessions for each row execute function update_updated_at_column();
create trigger user_stats_updated before update on user_stats for each row execute function update_updated_at_column();

-- Logins are kept 90 days, ended sessions 30; a session that nobody used for 60 days ends.
create function cleanup_old_user_data() returns bigint language sql as $$
        update user_sessions set ended_at = now() where ended_at is null and last_used_at < now() - interval '60 days';
        delete from user_sessions where ended_at < now() - interval '30 days';
        with gone as (delete from user_login_history where created_at < now() - interval '90 days' returning 1)
        select count(*) from gone;
$$;
