-- Only what an event of the object's service confirms makes a media public: an object whose transaction failed shows nothing.
alter table media_uses add column is_confirmed boolean not null default false;
update media_uses set is_confirmed = true;
create index media_uses_unconfirmed on media_uses (created_at) where not is_confirmed;

-- Jobs are taken in the order of rank_at: each further one of a member ranks a little later, so that who brings a thousand does not keep
-- who brings one waiting. One that is asked for anew while it is in work (the focus has
-- changed) is a further generation, and stays when the one before is done.
alter table media_processing_jobs
        add column owner_id   uuid,
        add column rank_at    timestamptz not null default now(),
        add column generation bigint      not null default 0;
update media_processing_jobs j set owner_id = f.owner_id from media_files f where f.id = j.media_id;
alter table media_processing_jobs alter column owner_id set not null;
create index media_processing_jobs_next on media_processing_jobs (rank_at);
create index media_processing_jobs_of_owner on media_processing_jobs (owner_id, rank_at);
drop index media_processing_jobs_due;
