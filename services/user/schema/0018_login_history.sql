-- What was tried at each log-in, and why it failed; what a session was begun with, and what its device is called.
alter table user_login_history
        add column factor text not null default 'password',
        add column reason text not null default '';
create index user_login_history_of_user on user_login_history (user_id, id desc) where user_id is not null;

alter table user_sessions
        add column device_name text not null default '',
        add column factors     text not null default 'password';
