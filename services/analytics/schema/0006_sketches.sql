-- How many different people each event of a day came from, and the numbers of its properties, as sketches that can be merged over any days
-- (sketch.c): HyperLogLog and t-digest. They stay when the month's events go.
create table analytics_sketches (
        name       text        not null,
        property   text        not null, -- '': of the event as a whole
        day        date        not null, -- by UTC
        events     bigint      not null, -- of that day when it was made; when there are more it is made again
        n_people   bigint      not null, -- exact, of this day
        people     bytea       not null, -- registers of HyperLogLog (hll.h)
        digest     bytea       not null, -- t-digest (tdigest.h) of the mean of each person; empty when property is ''
        created_at timestamptz not null default now(),
        updated_at timestamptz not null default now(),
        primary key (name, property, day)
);
create trigger analytics_sketches_updated before update on analytics_sketches for each row execute function update_updated_at_column();
