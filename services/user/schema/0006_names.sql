-- What members are searched by: their username, and their display name from the start of each of its words on. Keys are folded (NFKC
-- casefold) and cut.
create table user_names (
        key        text        collate "C" not null,
        user_id    uuid        not null references users on delete cascade,
        created_at timestamptz not null default now(),
        primary key (key, user_id)
);
create index user_names_of_user on user_names (user_id, key);

insert into user_names (key, user_id)
select username_key, id from users
union
select left(substr(n.name, at), 60), u.id
from users u
cross join lateral (select lower(normalize(u.display_name, NFKC)) as name) n
cross join lateral generate_series(1, length(n.name)) as at
where substr(n.name, at, 1) ~ '[[:alnum:]]' and (at = 1 or substr(n.name, at - 1, 1) !~ '[[:alnum:]]');
