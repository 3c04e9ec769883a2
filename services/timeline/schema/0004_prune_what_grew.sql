-- Timelines that may have grown long, noted by delivery: the others are not looked at.
create table timeline_grown (owner_id uuid primary key);
insert into timeline_grown select owner_id from timeline_cache;

-- Whose readers stay away.
create index timeline_cache_by_read on timeline_cache (read_at);
