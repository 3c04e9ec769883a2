-- What members of private accounts answer and pass on is for their own followers. It does not count where others would not see it.

-- A comment under a note for somebody's followers: for those of them who follow its author too.
alter table note_visibility add column narrowed boolean not null default false;

alter table note_comments add column counted boolean not null default true;
alter table note_renotes add column counted boolean not null default true;
