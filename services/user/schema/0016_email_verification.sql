-- Addresses that are known to be their members': those of members who registered before are not, until they verify them.
alter table users add column email_verified_at timestamptz;

-- One address of a member that waits for its proof, theirs or the one that is to take its place. The hashes are made with a key from outside
-- of the database.
create table email_verification_tokens (
        user_id    uuid        primary key references users on delete cascade,
        email      text        not null,
        email_key  text        collate "C" not null,
        code_hash  bytea       not null,
        token_hash bytea       not null unique,
        tries      integer     not null default 0, -- of codes
        expires_at timestamptz not null,
        created_at timestamptz not null default now(),
        updated_at timestamptz not null default now()
);
create trigger email_verification_tokens_updated before update on email_verification_tokens
        for each row execute function update_updated_at_column();
create index email_verification_tokens_expiry on email_verification_tokens (expires_at);
