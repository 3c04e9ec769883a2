-- Second factors: codes by time, recovery codes, and what was used of the tokens that work once.

create table two_factor_auth (
        user_id      uuid        primary key references users on delete cascade,
        seed         bytea       not null,           -- encrypted under a key of the key file, for this member
        confirmed_at timestamptz,                    -- null: its owner has not shown that they have it
        used_step    bigint      not null default 0, -- of 30 s: codes of it and of earlier ones do not work any more
        created_at   timestamptz not null default now(),
        updated_at   timestamptz not null default now()
);
create trigger two_factor_auth_updated before update on two_factor_auth for each row execute function update_updated_at_column();

-- Those that were not used yet.
create table recovery_codes (
        user_id    uuid        not null references users on delete cascade,
        code_hash  bytea       not null,
        created_at timestamptz not null default now(),
        primary key (user_id, code_hash)
);

-- Log-in tokens and challenges that were used, until they would have expired.
create table used_tokens (
        id         uuid        primary key,
        expires_at timestamptz not null,
        created_at timestamptz not null default now()
);
create index used_tokens_expired on used_tokens (expires_at);

-- Call again while the number is the portion's.
create function cleanup_used_tokens(portion integer) returns bigint language plpgsql as $$
declare
        n bigint;
begin
        with expired as (
                select id from used_tokens where expires_at < now() order by expires_at limit portion for update skip locked
        )
        delete from used_tokens t using expired where t.id = expired.id;
        get diagnostics n = row_count;
        return n;
end
$$;
