-- Who may register (REGISTRATION): an account may wait until somebody approves it, and an invite lets its holder in.
alter table users
        add column waiting_since timestamptz, -- for approval; NULL: it does not wait
        add column join_reason   text not null default ''; -- for those who approve
create index users_waiting on users (id) where waiting_since is not null;
create index users_waiting_age on users (waiting_since) where waiting_since is not null;

create table invites (
        id         uuid        primary key,
        inviter_id uuid        references users on delete cascade, -- NULL: the operator
        token_hash bytea       not null constraint invites_token unique, -- with a key from outside of the database
        uses       integer     not null,
        uses_left  integer     not null check (uses_left >= 0),
        expires_at timestamptz not null,
        created_at timestamptz not null default now(),
        updated_at timestamptz not null default now()
);
create index invites_of_inviter on invites (inviter_id, id desc);
create index invites_expiry on invites (expires_at);
create trigger invites_updated before update on invites for each row execute function update_updated_at_column();

-- An address belongs to the member who verified it. Before that anybody may type it: who registers learns nothing of who has an account,
-- and nobody keeps the owner of an address from using it.
alter table users drop constraint users_email_taken;
create unique index users_email_taken on users (email_key) where email_verified_at is not null;
create index users_email on users (email_key);
