-- Accounts whose members deleted them: hidden from then on, erased some days later by the job erase_accounts.
alter table users add column deactivated_at timestamptz;
create index users_deactivated on users (deactivated_at) where deactivated_at is not null;
