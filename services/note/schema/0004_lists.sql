-- Lists read from indexes of what their readers may see: what is hidden costs them nothing.

-- By visibility, so that notes for oneself do not stand between those for others.
create index notes_by_author_and_visibility on notes (author_id, visibility, id desc) where deleted_at is null and parent_id is null;
drop index notes_by_author;

-- Author and audience stand beside the hashtag and the comment. Triggers fill them in, whichever release writes.
alter table note_hashtags add column author_id uuid, add column public boolean, add column removed boolean not null default false;
update note_hashtags h set author_id = n.author_id, public = n.visibility = 1 from notes n where n.id = h.note_id;
alter table note_hashtags alter column author_id set not null, alter column public set not null;
update note_hashtags h set removed = true from note_comments c where c.note_id = h.note_id and c.removed_by is not null;
create index note_hashtags_public on note_hashtags (tag_key, note_id) include (author_id, removed) where public;

create function note_hashtags_complete() returns trigger language plpgsql as $$
begin
        select n.author_id, n.visibility = 1, c.removed_by is not null into new.author_id, new.public, new.removed
        from notes n left join note_comments c on c.note_id = n.id where n.id = new.note_id;
        return new;
end
$$;
create trigger note_hashtags_complete before insert on note_hashtags for each row execute function note_hashtags_complete();

alter table note_comments add column author_id uuid, add column deleted boolean not null default false,
        add column removed boolean generated always as (removed_by is not null) stored;
update note_comments c set author_id = n.author_id, deleted = n.deleted_at is not null from notes n where n.id = c.note_id;
alter table note_comments alter column author_id set not null;
create index note_comments_shown_of_parent on note_comments (parent_id, note_id) include (author_id, removed) where not deleted;
create index note_comments_shown_of_root on note_comments (root_id, note_id) include (author_id, removed) where not deleted;
drop index note_comments_of_parent;
drop index note_comments_of_root;

-- What stands below a comment, up to 100 levels down: a page of its thread is a range of the key. Below the first note of a conversation
-- note_comments itself is such a range; so a comment right under it has no row here.
create table note_threads (
        ancestor_id uuid not null,
        note_id     uuid not null,
        author_id   uuid not null,
        removed     boolean not null default false,
        primary key (ancestor_id, note_id) include (author_id, removed)
);

-- The comments above one, the nearest 100, without the first note.
create function note_comments_above(comment uuid) returns setof uuid language sql stable as $$
        with recursive up (id, depth) as (
                select parent_id, 1 from note_comments where note_id = comment
                union all
                select c.parent_id, up.depth + 1 from up join note_comments c on c.note_id = up.id where up.depth < 100
        )
        select c.note_id from up join note_comments c on c.note_id = up.id
$$;

insert into note_threads (ancestor_id, note_id, author_id, removed)
select a.id, c.note_id, c.author_id, c.removed from note_comments c cross join lateral note_comments_above(c.note_id) as a (id)
where c.parent_id <> c.root_id and not c.deleted;

create function note_comments_complete() returns trigger language plpgsql as $$
begin
        select author_id into new.author_id from notes where id = new.note_id;
        return new;
end
$$;
create trigger note_comments_complete before insert on note_comments for each row execute function note_comments_complete();

create function note_threads_grow() returns trigger language plpgsql as $$
begin
        insert into note_threads (ancestor_id, note_id, author_id)
        select a.id, new.note_id, new.author_id from note_comments_above(new.note_id) as a (id);
        return null;
end
$$;
create trigger note_threads_grow after insert on note_comments for each row
        when (new.parent_id <> new.root_id) execute function note_threads_grow();

-- A deleted comment leaves the lists; its row stays, since what answered it hangs from it.
create function note_comments_delete() returns trigger language plpgsql as $$
begin
        update note_comments set deleted = true where note_id = new.id;
        delete from note_threads where ancestor_id in (select note_comments_above(new.id)) and note_id = new.id;
        return null;
end
$$;
create trigger note_comments_delete after update of deleted_at on notes for each row
        when (old.deleted_at is null and new.deleted_at is not null and new.parent_id is not null) execute function note_comments_delete();

-- A removed comment stays in the lists, for its author alone.
create function note_comments_remove() returns trigger language plpgsql as $$
begin
        update note_threads set removed = true where ancestor_id in (select note_comments_above(new.note_id)) and note_id = new.note_id;
        update note_hashtags set removed = true where note_id = new.note_id;
        return null;
end
$$;
create trigger note_comments_remove after update of removed_by on note_comments for each row
        when (old.removed_by is null and new.removed_by is not null) execute function note_comments_remove();
