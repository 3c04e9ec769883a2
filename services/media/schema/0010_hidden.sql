-- Whether the member is deactivated or suspended: nothing of theirs is public meanwhile. Whoever has media has a row here.
alter table user_storage_quotas add column is_hidden boolean not null default false;
create index user_storage_quotas_hidden on user_storage_quotas (user_id) where is_hidden;
