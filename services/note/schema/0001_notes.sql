-- Notes, reactions, and who may see them.

create table notes (
        id           uuid        primary key, -- version 7: sorted by time
        author_id    uuid        not null,
        text         text        not null,
        visibility   smallint    not null check (visibility between 1 and 3), -- note.proto, Visibility
        parent_id    uuid,                    -- a comment
        renote_of_id uuid,                    -- a renote
        version      bigint      not null default 1,
        edited_at    timestamptz,
        deleted_at   timestamptz,
        created_at   timestamptz not null default now(),
        updated_at   timestamptz not null default now()
);
create index notes_by_author on notes (author_id, id desc) where deleted_at is null and parent_id is null;

-- The audience of notes that are not public: a reference that is evaluated at reading.
create table note_visibility (
        note_id  uuid     primary key references notes on delete cascade,
        audience smallint not null check (audience in (2, 3)), -- followers of the owner, or the owner alone
        owner_id uuid     not null -- of a comment: the audience owner of the note that it answers
);

create table note_comments (
        note_id   uuid primary key references notes on delete cascade,
        parent_id uuid not null,
        root_id   uuid not null
);
create index note_comments_of_parent on note_comments (parent_id, note_id);
create index note_comments_of_root on note_comments (root_id, note_id);

-- Reactions and counters carry no foreign key: its lock on the note's row would make all who react to it wait for each other.
create table note_likes (
        user_id    uuid        not null,
        note_id    uuid        not null,
        created_at timestamptz not null default now(),
        primary key (user_id, note_id)
);

create table note_renotes (
        user_id    uuid        not null,
        note_id    uuid        not null,
        renote_id  uuid        not null constraint note_renotes_renote unique, -- the note that passes it on
        created_at timestamptz not null default now(),
        primary key (user_id, note_id)
);

create table note_bookmarks (
        user_id    uuid        not null,
        note_id    uuid        not null,
        created_at timestamptz not null default now(),
        primary key (user_id, note_id)
);
create index note_bookmarks_newest on note_bookmarks (user_id, created_at desc, note_id desc);

create table note_hashtags (
        tag_key    text     collate "C" not null, -- NFKC casefold
        note_id    uuid     not null references notes on delete cascade,
        tag        text     not null,             -- as written
        position   smallint not null,
        primary key (tag_key, note_id)
);
create index note_hashtags_of_note on note_hashtags (note_id, position);

create table note_mentions (
        note_id  uuid     not null references notes on delete cascade,
        user_id  uuid     not null,
        username text     not null,
        position smallint not null,
        primary key (note_id, user_id)
);

-- Counters, spread over slots so that members who react to one note at once do not wait for each other; reading sums.
create table note_stats (
        note_id   uuid     not null,
        slot      smallint not null,
        likes     bigint   not null default 0,
        renotes   bigint   not null default 0,
        comments  bigint   not null default 0,
        bookmarks bigint   not null default 0,
        primary key (note_id, slot)
);

create trigger notes_updated before update on notes for each row execute function update_updated_at_column();
