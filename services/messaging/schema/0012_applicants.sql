-- Links whose users are let in one by one, and who waits to be.
alter table chat_links add column approval boolean not null default false;

create table chat_applicants (
        chat_id    uuid        not null,
        user_id    uuid        not null,
        created_at timestamptz not null default now(),
        primary key (chat_id, user_id)
);
create index chat_applicants_of_user on chat_applicants (user_id);
