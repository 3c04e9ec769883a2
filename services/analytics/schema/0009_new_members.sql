-- How many members were there on the day on which they were first there (analytics_people.first_day), by that day.
create table new_members (
        day        date        primary key,
        people     bigint      not null,
        created_at timestamptz not null default now(),
        updated_at timestamptz not null default now()
);
create trigger new_members_updated before update on new_members for each row execute function update_updated_at_column();

insert into new_members (day, people)
        select s.day, count(*) from user_sessions s join analytics_people p on p.visitor = s.visitor and p.first_day = s.day where s.member group by s.day;

drop index analytics_people_first_day;
