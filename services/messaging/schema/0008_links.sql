-- Links by which members come into groups and channels by themselves. The tokens are not kept: their hashes are.
create table chat_links (
        id         uuid        primary key,
        chat_id    uuid        not null,
        creator_id uuid        not null,
        token_hash bytea       not null unique,
        uses       bigint      not null,
        uses_left  bigint      not null check (uses_left >= 0),
        expires_at timestamptz not null,
        created_at timestamptz not null default now(),
        updated_at timestamptz not null default now()
);
create index chat_links_of_chat on chat_links (chat_id);
create index chat_links_expiry on chat_links (expires_at);
create trigger chat_links_updated before update on chat_links for each row execute function update_updated_at_column();

-- Who was taken out does not come back by a link.
alter table chat_participants add column removed boolean not null default false;
