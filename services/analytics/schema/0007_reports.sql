-- What programs like Grafana read (deploy/grafana-analytics.json), by a role that reads nothing else: days and numbers of enough people.

-- One row: ANALYTICS_MIN_GROUP, as the service last knew it (months.c).
create table analytics_limits (
        one        boolean     primary key default true check (one),
        min_group  bigint      not null,
        created_at timestamptz not null default now(),
        updated_at timestamptz not null default now()
);
create trigger analytics_limits_updated before update on analytics_limits for each row execute function update_updated_at_column();
insert into analytics_limits (min_group) values (5);

-- Events of each day by their name, and from how many people.
create view report_events as
        select bucket as at, name, value as events, people from business_metrics
        where grain = 'day' and people >= (select min_group from analytics_limits);

-- How many members, and how many visitors without an account, were there on each day.
create view report_people as
        select day::timestamp at time zone 'UTC' as at, case when member then 'members' else 'visitors' end as kind, count(*) as people
        from user_sessions group by day, member having count(*) >= (select min_group from analytics_limits);

do $$ begin execute format('grant select on report_events, report_people to %I', current_database() || '_reader'); end $$;
