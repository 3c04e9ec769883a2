-- A link with which a member sets a new password. A request for one is a row with the address that was typed, whoever has it: the job that
-- looks it up makes a token of it, or deletes it. So the answer to the request knows nothing that it could tell.
create table password_reset_tokens (
        id         uuid        primary key,
        email_key  text        collate "C", -- until it is looked up
        user_id    uuid        references users on delete cascade,
        token_hash bytea       unique, -- with a key from outside of the database
        expires_at timestamptz not null,
        created_at timestamptz not null default now(),
        updated_at timestamptz not null default now()
);
create unique index password_reset_tokens_asked on password_reset_tokens (email_key) where token_hash is null;
create index password_reset_tokens_user on password_reset_tokens (user_id);
create index password_reset_tokens_expiry on password_reset_tokens (expires_at);
create trigger password_reset_tokens_updated before update on password_reset_tokens for each row execute function update_updated_at_column();
