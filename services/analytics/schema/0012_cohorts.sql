-- Visits of members by the day on which they were first there, and by how many days after their visit before: 31 is that many or more, or none before.
-- How many different people of a cohort were there in a period is how many visits in it had none before in it (store_explore.c).
create table cohort_visits (
        first_day  date        not null,
        day        date        not null,
        gap        integer     not null check (gap between 1 and 31),
        visits     bigint      not null,
        created_at timestamptz not null default now(),
        updated_at timestamptz not null default now(),
        primary key (first_day, day, gap)
);
create trigger cohort_visits_updated before update on cohort_visits for each row execute function update_updated_at_column();

insert into cohort_visits (first_day, day, gap, visits)
        select first_day, day, gap, count(*) from
                (select p.first_day, s.day, least(coalesce(s.day - lag(s.day) over (partition by s.visitor order by s.day), 31), 31) as gap
                 from user_sessions s join analytics_people p on p.visitor = s.visitor) v
        group by 1, 2, 3;

-- When on that first day: kept when the visits go. With the first note it stands once more, so that a metric reads one index alone.
alter table analytics_people add column first_at timestamptz;
update analytics_people p set first_at = s.first_at from user_sessions s where s.visitor = p.visitor and s.day = p.first_day;

alter table first_notes add column first_at timestamptz;
update first_notes t set first_at = p.first_at from analytics_people p where p.visitor = t.visitor;
create index first_notes_first_at on first_notes (first_at) include (at);
drop index first_notes_at;
