-- What authors are told of their notes, and what a member is told of their own habits.

-- A profile is kept for who has not switched it off; first_day is infinity for who has only been followed so far.
alter table analytics_people add column profiled boolean not null default true;

-- Each note, and what its author is told of it in all: the sums of content_analytics. Nothing is counted for ids of which no note is known.
create table content_performance (
        note_id     uuid        primary key,
        author      uuid,                          -- a pseudonym; null: of who does not want to be counted
        views       bigint      not null default 0,
        engagements bigint      not null default 0,
        reach       bigint      not null default 0, -- different people who saw it
        counted_to  timestamptz,                    -- up to where events are in content_analytics; by when they were stored
        created_at  timestamptz not null default now(),
        updated_at  timestamptz not null default now()
);
create trigger content_performance_updated before update on content_performance for each row execute function update_updated_at_column();
create index content_performance_author on content_performance (author, note_id);

-- Spans of whole hours in which ANALYTICS_MIN_GROUP people or more saw the note; what came later than the last one waits in user_events until
-- enough have seen it again. A span never changes, so that no two answers differ by fewer people. source '': all; others are there only where
-- neither they nor the rest are too few.
create table content_analytics (
        note_id     uuid        not null references content_performance on delete cascade,
        from_at     timestamptz not null,
        source      text        not null,
        to_at       timestamptz not null,
        views       bigint      not null,
        engagements bigint      not null,
        created_at  timestamptz not null default now(),
        primary key (note_id, from_at, source)
);

-- Whose notes somebody reads, likes, passes on and answers. Weights decay by half in 30 days, by forward decay (Cormode et al., 2009): an event
-- adds 2^((at - 2026-01-01) / 30 days), which is divided by that of now when it is read, so that no row has to be touched as time goes by.
create table user_engagement_profiles (
        visitor    uuid             not null,
        author     uuid             not null,
        reads      double precision not null,
        likes      double precision not null,
        renotes    double precision not null,
        answers    double precision not null,
        created_at timestamptz      not null default now(),
        updated_at timestamptz      not null default now(),
        primary key (visitor, author)
);
create trigger user_engagement_profiles_updated before update on user_engagement_profiles
        for each row execute function update_updated_at_column();
create index user_engagement_profiles_author on user_engagement_profiles (author);
create index user_engagement_profiles_updated_at on user_engagement_profiles (updated_at);

create function analytics_decay(at timestamptz) returns double precision
language sql immutable strict parallel safe as $$
        select power(2, extract(epoch from at - timestamptz '2026-01-01 00:00:00+00')::double precision / 2592000)
$$;
