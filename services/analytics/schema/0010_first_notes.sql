-- When each member wrote their first note: kept when the events go.
create table first_notes (
        visitor    uuid        primary key,
        at         timestamptz not null,
        created_at timestamptz not null default now(),
        updated_at timestamptz not null default now()
);
create index first_notes_at on first_notes (at);
create trigger first_notes_updated before update on first_notes for each row execute function update_updated_at_column();

insert into first_notes (visitor, at)
        select visitor, min(at) from user_events where name = 'note.created' and member and visitor is not null group by visitor;
