-- How much a member is sent at once in a day.
-- Serves programs from: 0004

alter table notification_choices add column daily_budget integer not null default 0; -- on each channel; 0: as much as there is
alter table notification_queue add column paid boolean not null default false;       -- it has been taken from the budget

create table notification_budgets (
        user_id    uuid        not null,
        channel    smallint    not null,              -- decide.h, enum channel
        day        integer     not null,              -- the last one on which something was sent at once, as the member counts days
        spent      integer     not null,
        created_at timestamptz not null default now(),
        updated_at timestamptz not null default now(),
        primary key (user_id, channel)
);
create trigger notification_budgets_updated before update on notification_budgets for each row execute function update_updated_at_column();
