-- Who passed a note on, the newest first.
create index notes_passing_on on notes (renote_of_id, id desc) include (author_id) where renote_of_id is not null and deleted_at is null;
