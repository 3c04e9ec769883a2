-- People who are waiting for a portion (0013), one row each: what a batch reads and writes depends only on its own events, however many people a portion needs.
-- grain 'hour': the people of one hour; 'day': those of all waiting hours of a day together (the rest of the day).
create table unpublished_people (
        name       text        not null,
        grain      text        not null check (grain in ('hour', 'day')),
        bucket     timestamptz not null,
        visitor    uuid        not null, -- all zeros: people without a pseudonym, who count as one
        hours      integer     not null, -- the number of waiting hours of the bucket that this person is in
        created_at timestamptz not null default now(),
        updated_at timestamptz not null default now(),
        primary key (name, grain, bucket, visitor)
);
create trigger unpublished_people_updated before update on unpublished_people for each row execute function update_updated_at_column();

insert into unpublished_people (name, grain, bucket, visitor, hours)
        select name, 'hour', hour, person, 1 from unpublished_counts, unnest(people) person;
insert into unpublished_people (name, grain, bucket, visitor, hours)
        select name, 'day', date_trunc('day', bucket, 'UTC'), visitor, count(*) from unpublished_people group by 1, 3, 4;

-- unpublished_counts now has both grains, and only the number of people.
alter table unpublished_counts add column grain text check (grain in ('hour', 'day'));
alter table unpublished_counts rename column hour to bucket;
alter table unpublished_counts drop constraint unpublished_counts_pkey;
alter table unpublished_counts alter column people type bigint using cardinality(people);
update unpublished_counts set grain = 'hour';
insert into unpublished_counts (name, grain, bucket, value, people)
        select name, 'day', day, sum(value), (select count(*) from unpublished_people p where p.name = h.name and p.grain = 'day' and p.bucket = h.day)
        from (select name, date_trunc('day', bucket, 'UTC') as day, value from unpublished_counts) h group by name, day;
alter table unpublished_counts alter column grain set not null;
alter table unpublished_counts add primary key (name, grain, bucket);
create index unpublished_counts_bucket on unpublished_counts (bucket);
