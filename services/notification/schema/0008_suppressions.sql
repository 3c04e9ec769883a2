-- Addresses to which no notifications are mailed, since the mail server refused one for good.
-- Serves programs from: 0004

create table mail_suppressions (
        user_id    uuid        primary key,
        recipient  text        not null,              -- the address, as mail_recipient_key has it
        status     text        not null,              -- what the mail server said: "550 5.1.1"
        created_at timestamptz not null default now(),
        updated_at timestamptz not null default now() -- when it was refused for the last time
);
create trigger mail_suppressions_updated before update on mail_suppressions for each row execute function update_updated_at_column();
