-- Lists of accounts for those who look after a network: the few who are not plain members, and the suspended, the newest first.
create index users_staff on users (id) where role <> 'member';
create index users_suspended on users (id) where suspended_at is not null;
