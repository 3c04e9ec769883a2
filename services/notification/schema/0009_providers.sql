-- Apps that take pushes, and telephones that take SMS.
-- Serves programs from: 0008

alter table push_subscriptions add column provider text not null default ''; -- of an app's device, whose token endpoint is then; '': a browser

create table phone_numbers (
        user_id     uuid        primary key,
        number      text        not null,              -- E.164
        verified_at timestamptz,                       -- nothing but codes is sent before
        created_at  timestamptz not null default now(),
        updated_at  timestamptz not null default now()
);
create trigger phone_numbers_updated before update on phone_numbers for each row execute function update_updated_at_column();

-- Codes that were asked for within the last day: the code itself is a MAC of the id and the number, and stored nowhere.
create table phone_codes (
        id         uuid        primary key,           -- version 7: in the order of time
        user_id    uuid        not null,
        recipient  bytea       not null,              -- stands for the number
        tries      smallint    not null default 0,    -- to guess it
        due_at     timestamptz          default now(), -- when it is sent, or sent again; null: no more
        attempts   smallint    not null default 0,
        created_at timestamptz not null default now()
);
create index phone_codes_of_member on phone_codes (user_id, id);
create index phone_codes_of_number on phone_codes (recipient, id);
create index phone_codes_by_age on phone_codes (created_at);
create index phone_codes_due on phone_codes (due_at) where due_at is not null;
