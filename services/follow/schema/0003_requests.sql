-- Requests to follow private accounts.
create table follow_requests (
        requester_id    uuid           not null,
        target_id       uuid           not null,
        privacy_version bigint         not null, -- of the target, when the request was made
        created_at      timestamptz(3) not null default now(),
        primary key (requester_id, target_id)
);
create index follow_requests_newest on follow_requests (target_id, created_at desc, requester_id desc);

-- The newest opening of an account: requests that were made under an older version of its privacy are accepted, and none is made any more.
create table account_openings (
        user_id    uuid        primary key,
        version    bigint      not null,
        created_at timestamptz not null default now(),
        updated_at timestamptz not null default now()
);
create trigger account_openings_updated before update on account_openings for each row execute function update_updated_at_column();
