-- What a member may do beyond being one: the scopes of their access tokens (services/user/roles.c).
alter table users add column role text not null default 'member' constraint users_role_known check (role in ('member', 'moderator', 'administrator'));
