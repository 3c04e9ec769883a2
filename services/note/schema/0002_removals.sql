-- The author of a note removes what was answered to it: the comment is then shown to its maker alone.
alter table note_comments add column removed_by uuid;
