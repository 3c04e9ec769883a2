-- How many notes each member has written.

create table analytics_counts (
        user_id    uuid        primary key,
        notes      bigint      not null,
        created_at timestamptz not null default now(),
        updated_at timestamptz not null default now()
);

create trigger analytics_counts_updated before update on analytics_counts for each row execute function update_updated_at_column();
