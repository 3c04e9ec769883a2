-- Events, and the roll-ups that are brought up to date in the transaction that stores them (store_events.c). People are pseudonyms everywhere
-- but in analytics_people.

-- Which pseudonym a member has. Erasing a member empties user_id: from then on nothing leads from their events to them.
create table analytics_people (
        visitor    uuid        primary key default gen_random_uuid(),
        user_id    uuid        unique,
        first_day  date        not null,
        created_at timestamptz not null default now()
);

-- What turns the address of a visitor without an account into a pseudonym; destroyed when its day is over, and with it the way back.
create table analytics_salts (
        day        date        primary key,
        salt       bytea       not null,
        created_at timestamptz not null default now()
);

create table user_events (
        id         uuid        not null,
        at         timestamptz not null,
        name       text        not null,
        visitor    uuid,               -- null: somebody who is not to be told from others
        member     boolean     not null,
        object_id  uuid,               -- a note
        properties jsonb,
        created_at timestamptz not null default now(),
        primary key (id, at)
) partition by range (at);
create index user_events_visitor on user_events (visitor, at);
create index user_events_name on user_events (name, at);

-- A visit: all that one visitor does on one day, by UTC.
create table user_sessions (
        day        date        not null,
        visitor    uuid        not null,
        member     boolean     not null,
        first_at   timestamptz not null,
        last_at    timestamptz not null,
        events     bigint      not null,
        created_at timestamptz not null default now(),
        primary key (day, visitor)
) partition by range (day);
create index user_sessions_visitor on user_sessions (visitor, day);

-- Who is counted in business_metrics.people.
create table metric_people (
        bucket     timestamptz not null,
        grain      text        not null check (grain in ('hour', 'day')),
        name       text        not null,
        visitor    uuid        not null,
        created_at timestamptz not null default now(),
        primary key (name, grain, bucket, visitor)
) partition by range (bucket);

-- How many events of each name there were in each hour and day, and from how many people.
create table business_metrics (
        name       text        not null,
        grain      text        not null check (grain in ('hour', 'day')),
        bucket     timestamptz not null,
        value      bigint      not null,
        people     bigint      not null,
        created_at timestamptz not null default now(),
        updated_at timestamptz not null default now(),
        primary key (name, grain, bucket)
);
create trigger business_metrics_updated before update on business_metrics for each row execute function update_updated_at_column();

-- The partitions of the month of first, and of so many months after it. What makes and drops them runs as their owner: the service's role
-- may do neither.
create function analytics_make_months(first date, months integer) returns bigint
language plpgsql security definer set search_path = public as $$
declare
        parent text;
        month  date;
        made   bigint := 0;
begin
        for n in 0..months loop
                month := date_trunc('month', first) + n * interval '1 month';
                foreach parent in array array['user_events', 'user_sessions', 'metric_people'] loop
                        if to_regclass(parent || to_char(month, '_YYYY_MM')) is null then
                                execute format('create table %I partition of %I for values from (%L) to (%L)',
                                               parent || to_char(month, '_YYYY_MM'), parent,
                                               to_char(month, 'YYYY-MM-DD') || case parent when 'user_sessions' then '' else ' 00:00:00+00' end,
                                               to_char(month + interval '1 month', 'YYYY-MM-DD')
                                                       || case parent when 'user_sessions' then '' else ' 00:00:00+00' end);
                                made := made + 1;
                        end if;
                end loop;
        end loop;
        return made;
end
$$;

-- Drops one partition that ends before a day, whole: no row is looked at. How many there were to drop: 0 or 1.
create function analytics_drop_month(before date) returns bigint
language plpgsql security definer set search_path = public as $$
declare
        old text;
begin
        select c.relname into old from pg_inherits i join pg_class c on c.oid = i.inhrelid join pg_class p on p.oid = i.inhparent
        where p.relname in ('user_events', 'user_sessions', 'metric_people')
          and to_date(right(c.relname, 7), 'YYYY_MM') + interval '1 month' <= before
        order by right(c.relname, 7), c.relname limit 1;
        if old is null then
                return 0;
        end if;
        execute format('drop table %I', old);
        return 1;
end
$$;
revoke execute on function analytics_make_months(date, integer), analytics_drop_month(date) from public;
do $$ begin execute format('grant execute on function analytics_make_months(date, integer), analytics_drop_month(date) to %I', current_database()); end $$;

select analytics_make_months((current_date - interval '1 month')::date, 3);
