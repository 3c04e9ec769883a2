-- Sensitive methods need a proof of who one is that is at most five minutes old. Sessions that run already have none so far.

alter table user_sessions add column proved_at timestamptz not null default to_timestamp(0);
alter table user_sessions alter column proved_at set default now(); -- a session begins with one
