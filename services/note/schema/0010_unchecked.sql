-- The hashtags, mentions and media of a note are inserted with it, in one transaction, and notes are never removed: looking up the note for each of them, and
-- locking its row, found nothing and cost as much as inserting them.

alter table note_hashtags drop constraint note_hashtags_note_id_fkey;
alter table note_mentions drop constraint note_mentions_note_id_fkey;
alter table note_media drop constraint note_media_note_id_fkey;
