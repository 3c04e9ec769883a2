-- Delivery writes into one index instead of two: entries of deleted notes are found by whose timelines they are on. And pages are read
-- from that index alone.

create unique index timeline_entries_key on timeline_entries (owner_id, note_id) include (author_id);
alter table timeline_entries drop constraint timeline_entries_pkey;
alter table timeline_entries add constraint timeline_entries_pkey primary key using index timeline_entries_key;
drop index timeline_entries_of_note;
