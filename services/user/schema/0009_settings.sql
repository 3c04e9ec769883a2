-- Settings of members that are not as by default: user_settings.proto has all that there are.
create table user_settings (
        user_id    uuid        not null references users on delete cascade,
        key        text        collate "C" not null, -- "privacy.private"
        value      text        not null,
        created_at timestamptz not null default now(),
        updated_at timestamptz not null default now(),
        primary key (user_id, key)
);
create trigger user_settings_updated before update on user_settings for each row execute function update_updated_at_column();
