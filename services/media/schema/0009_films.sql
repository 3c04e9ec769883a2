-- Videos and sounds: a queue of their own, since each takes as long as many pictures; and what a sound looks like.
alter table media_processing_jobs add column is_long boolean not null default false;
create index media_processing_jobs_next_long on media_processing_jobs (rank_at) where is_long;
create index media_processing_jobs_next_short on media_processing_jobs (rank_at) where not is_long;
drop index media_processing_jobs_next;

alter table media_files add column waveform smallint[] not null default '{}'; -- of sounds: loudness from 0 to 100, from beginning to end
