-- Members who were erased: events of theirs that are stored later, from a journal or a log of another service, bring no pseudonym back. A
-- hash, so that their ids are nowhere.
create table analytics_erased (
        id         bytea       primary key, -- SHA-256 of the member's id
        created_at timestamptz not null default now()
);
