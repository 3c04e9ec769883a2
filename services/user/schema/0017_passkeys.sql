-- Passkeys: keys that members' authenticators hold; of each only its public part is here.

create table passkeys (
        id            uuid        primary key,
        user_id       uuid        not null references users on delete cascade,
        credential_id bytea       not null constraint passkeys_known unique,
        public_key    bytea       not null,
        algorithm     integer     not null, -- COSE: -7, -8, -257
        sign_count    bigint      not null, -- of the authenticator, when it was last used: a lower one comes from a copy
        name          text        not null,
        last_used_at  timestamptz,
        created_at    timestamptz not null default now(),
        updated_at    timestamptz not null default now()
);
create index passkeys_of_user on passkeys (user_id, id);
create trigger passkeys_updated before update on passkeys for each row execute function update_updated_at_column();
