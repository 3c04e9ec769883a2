-- How fast mails go to each domain, for all processes of a service together: written only where MAIL_DOMAIN_RATE is set.
-- Serves programs from: 0003
create table mail_paces (
        slot       bigint      primary key, -- of the hash of domains: mail/pace.c
        free_us    bigint      not null,    -- when the domain would have had nothing for long enough, in µs since 1970
        created_at timestamptz not null default now(),
        updated_at timestamptz not null default now()
);
create trigger mail_paces_updated before update on mail_paces for each row execute function update_updated_at_column();
