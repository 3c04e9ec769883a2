-- Epochs are used from now on: who is suspended, or changes their password or role, has all access tokens end at once. (0007 says otherwise.)
alter table users
        add column epoch_raised_at   timestamptz,
        add column suspended_at      timestamptz,
        add column suspension_reason text not null default '';
create index users_epoch_raised on users (epoch_raised_at) where epoch_raised_at is not null;
comment on column users.epoch is 'in every access token as "epoch"; those with a lower one than the member''s are refused';
