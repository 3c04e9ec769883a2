-- The newest notes of many authors from the index alone: renotes are told from notes without a look at the table.
create index notes_newest_by_author on notes (author_id, visibility, id desc) include (renote_of_id) where deleted_at is null and parent_id is null;
drop index notes_by_author_and_visibility;
