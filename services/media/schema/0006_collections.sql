-- What members put their media in order with; nobody else sees it.
create table media_tags (
        media_id   uuid        not null references media_files on delete cascade,
        owner_id   uuid        not null,
        tag        text        collate "C" not null, -- folded
        created_at timestamptz not null default now(),
        primary key (media_id, tag)
);
create index media_tags_of_owner on media_tags (owner_id, tag, media_id desc);

create table media_collections (
        id         uuid        primary key, -- version 7
        owner_id   uuid        not null,
        parent_id  uuid        references media_collections on delete cascade,
        name       text        not null,
        name_key   text        collate "C" not null, -- folded
        created_at timestamptz not null default now(),
        updated_at timestamptz not null default now(),
        unique nulls not distinct (owner_id, parent_id, name_key)
);
create index media_collections_in_parent on media_collections (owner_id, parent_id, id desc);
create index media_collections_of_parent on media_collections (parent_id);
create trigger media_collections_updated before update on media_collections for each row execute function update_updated_at_column();

create table media_collection_items (
        collection_id uuid        not null references media_collections on delete cascade,
        media_id      uuid        not null references media_files on delete cascade,
        created_at    timestamptz not null default now(),
        primary key (collection_id, media_id)
);
create index media_collection_items_of_media on media_collection_items (media_id);
