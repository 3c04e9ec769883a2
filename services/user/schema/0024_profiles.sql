-- What members say of themselves beside their name and bio.
create table user_profiles (
        user_id      uuid        primary key references users on delete cascade,
        location     text        not null,
        website      text        not null,
        pronouns     text        not null,
        birthday     date,       -- shown to the member alone
        field_names  text[]      not null,
        field_values text[]      not null,
        created_at   timestamptz not null default now(),
        updated_at   timestamptz not null default now()
);
create trigger user_profiles_updated before update on user_profiles for each row execute function update_updated_at_column();

-- A username changes once in 30 days at most. For 90 days the old one still leads to its member, and nobody else can take it.
alter table users add column username_changed_at timestamptz;
create table former_usernames (
        username_key text        collate "C" primary key,
        user_id      uuid        not null references users on delete cascade,
        kept_until   timestamptz not null,
        created_at   timestamptz not null default now()
);
create index former_usernames_of_user on former_usernames (user_id);
create index former_usernames_age on former_usernames (kept_until);
