-- What a member wrote, where they are mentioned, whose audience they own and what they removed: for erasing members.
create index notes_of_author on notes (author_id);
create index note_mentions_of_user on note_mentions (user_id);
create index note_visibility_of_owner on note_visibility (owner_id);
create index note_comments_removed_by on note_comments (removed_by) where removed_by is not null;
