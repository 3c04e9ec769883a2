-- Which members used a hashtag in which hour, in public notes: what trends are made of. Kept for eight days.
create table search_tag_uses (
        tag        text        collate "C" not null, -- without the '#'
        hour       timestamptz not null,
        author_id  uuid        not null,
        created_at timestamptz not null default now(),
        primary key (tag, hour, author_id)
);
create index search_tag_uses_hour on search_tag_uses (hour);
create index search_tag_uses_author on search_tag_uses (author_id);

-- What is used by more people than usual. Made anew each minute.
create table search_trends (
        tag        text             collate "C" primary key,
        people     bigint           not null, -- in the last 24 hours
        usual      double precision not null, -- on each of the seven days before
        score      double precision not null,
        created_at timestamptz      not null default now()
);

-- Hashtags that an administrator does not want there.
create table search_hidden_trends (
        tag        text        collate "C" primary key,
        created_at timestamptz not null default now()
);

-- A hashtag that comes by an edit does not count, nor does one of an old note that is indexed anew.
create function search_note_tag_uses() returns trigger language plpgsql as $$
begin
        insert into search_tag_uses (tag, hour, author_id)
        select distinct substr(word, 2), date_trunc('hour', at), author_id from (
                select author_id, owner_id, words, search_note_time(note_id) as at from added) a,
                unnest(tsvector_to_array(words)) as word
        where owner_id is null and word like '#%' and at > now() - interval '8 days' order by 1, 2, 3
        on conflict do nothing;
        return null;
end
$$;
create trigger search_index_tags_added after insert on search_index referencing new table as added
        for each statement execute function search_note_tag_uses();
