-- Which part of the counts is published. Events are published in portions: those of at least ANALYTICS_MIN_GROUP different people, all at once. A portion
-- whose events are all of one hour counts for that hour and its day, any other for the day alone (store_events.c). Whatever figures are compared, and
-- however long apart, they differ by whole portions.
alter table business_metrics add column published bigint not null default 0;

-- One row: up to where deliveries are counted (count_deliveries.c). null: none are yet. It comes before the update below, which changes updated_at.
create table counted_deliveries (
        one        boolean     primary key default true check (one),
        counted_to timestamptz,
        created_at timestamptz not null default now(),
        updated_at timestamptz not null default now()
);
create trigger counted_deliveries_updated before update on counted_deliveries for each row execute function update_updated_at_column();
insert into counted_deliveries (counted_to) select date_trunc('second', max(updated_at)) from business_metrics where name = 'deliveries';

-- What was shown so far: days of enough people, and their hours where none had too few.
update business_metrics m set published = value
where people >= (select min_group from analytics_limits) and (grain = 'day' or not exists
        (select from business_metrics h where h.name = m.name and h.grain = 'hour' and h.bucket >= date_trunc('day', m.bucket, 'UTC')
         and h.bucket < date_trunc('day', m.bucket, 'UTC') + interval '1 day' and h.people < (select min_group from analytics_limits)));

-- Events that wait for a portion, with their people: fewer than ANALYTICS_MIN_GROUP for each name and day. Nobody (all zeros) stands for people
-- without a pseudonym.
create table unpublished_counts (
        hour       timestamptz not null,
        name       text        not null,
        value      bigint      not null,
        people     uuid[]      not null,
        created_at timestamptz not null default now(),
        updated_at timestamptz not null default now(),
        primary key (name, hour)
);
create trigger unpublished_counts_updated before update on unpublished_counts for each row execute function update_updated_at_column();

-- The median time to the first note of the members of a day, as it is published: it changes when so many more of them have written one.
create table first_note_medians (
        day        date             primary key,
        people     bigint           not null, -- of whom it is the median
        median_s   double precision not null,
        created_at timestamptz      not null default now(),
        updated_at timestamptz      not null default now()
);
create trigger first_note_medians_updated before update on first_note_medians for each row execute function update_updated_at_column();

insert into first_note_medians (day, people, median_s)
        select (first_at at time zone 'UTC')::date, count(*), percentile_cont(0.5) within group (order by extract(epoch from at - first_at)::float8)
        from first_notes where first_at is not null group by 1 having count(*) >= (select min_group from analytics_limits);

-- The results of an experiment count what was stored up to then. It moves on when enough people of a variant have done something since.
alter table experiments add column told_to timestamptz;

-- A sketch is of what was stored up to then. It is made again when later events are of enough people (sketch.c).
alter table analytics_sketches add column counted_to timestamptz;
update analytics_sketches set counted_to = updated_at;
alter table analytics_sketches alter column counted_to set not null;

-- Both numbers of people are multiples of the smallest group; of deliveries it is not known from how many different people of a day they are.
create or replace view report_events as
        select bucket as at, name, published as events, nullif(people / min_group * min_group, 0) as people
        from business_metrics cross join analytics_limits where grain = 'day' and published > 0;

create or replace view report_people as
        with sums as (select day, member, sum(change) over (partition by member order by day)::bigint as people from active_changes where days = 1)
        select day::timestamp at time zone 'UTC' as at, case when member then 'members' else 'visitors' end as kind, people / min_group * min_group as people
        from sums cross join analytics_limits where people >= min_group;
