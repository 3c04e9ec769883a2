-- Who may take part in an experiment, what must not get worse in it, and what stopped it.
alter table experiments
        add column audience        integer not null default 1,  -- 1: all; 2: who was first there on the day of the start or later; 3: the others
        add column holdout_percent integer not null default 0 check (holdout_percent between 0 and 50),
        add column guardrails      text    not null default '', -- events, apart by commas, of which there must not be fewer
        add column stopped_by      text    not null default ''; -- '': somebody; or the guardrail

-- The sums as they were when it was stopped: what `sonet admin experiment verify` computes again. Events that are stored later do not count
-- for them.
create table experiment_results (
        experiment_id uuid        primary key references experiments on delete cascade,
        counted_to    timestamptz not null,
        hash          bytea       not null,
        created_at    timestamptz not null default now()
);
