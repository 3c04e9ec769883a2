-- Wrong passwords slow down further tries on the name that was typed, whether somebody has it or not: the history of log-ins is what is
-- counted, and has a row for each try. Sessions tell where they are, and on which device.

alter table user_login_history
        alter column user_id drop not null,             -- nobody has the name
        add column login_hash bytea not null default '', -- of the name that was typed, under a key of the key file: people type passwords there
        add column network    text  not null default '', -- the part of the address that one customer has
        add column device_id  uuid;                      -- a device that had logged this member in before

create index user_login_history_wrong on user_login_history (login_hash, created_at) where not succeeded;
drop index user_login_history_failures; -- of the release before, which counts by reading on

alter table user_sessions
        add column address   text not null default '',
        add column device_id uuid not null default gen_random_uuid();
