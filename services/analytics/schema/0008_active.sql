-- How many people were there on a day, or in the 7 or 28 days up to it, as changes from one day to the next: the running sum up to a day is that
-- number. Who is there on a day counts from it on for so many days, or until they are there again (store_events.c). Visitors without an account
-- have another pseudonym each day, so of them there are only single days.
create table active_changes (
        member     boolean     not null,
        days       integer     not null check (days in (1, 7, 28)),
        day        date        not null,
        change     bigint      not null,
        created_at timestamptz not null default now(),
        updated_at timestamptz not null default now(),
        primary key (member, days, day)
);
create trigger active_changes_updated before update on active_changes for each row execute function update_updated_at_column();

insert into active_changes (member, days, day, change)
        with visits as (select member, n as days, day, lead(day) over (partition by visitor, n order by day) as next
                        from user_sessions, unnest(array[1, 7, 28]) n where member or n = 1)
        select member, days, day, sum(change) from (
                select member, days, day, 1 as change from visits
                union all select member, days, least(day + days, next), -1 from visits) c
        group by member, days, day;

-- Members by the day on which they were first there.
create index analytics_people_first_day on analytics_people (first_day);

create or replace view report_people as
        with sums as (select day, member, sum(change) over (partition by member order by day)::bigint as people from active_changes where days = 1)
        select day::timestamp at time zone 'UTC' as at, case when member then 'members' else 'visitors' end as kind, people
        from sums where people >= (select min_group from analytics_limits);
