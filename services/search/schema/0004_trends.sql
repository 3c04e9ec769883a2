-- Who used what in which hour, in public notes: what trends are made of. Kept for eight days. A topic is a lexeme of the index, "#tag" or
-- "/https://example.org/page", or a note, ":note:ID", to which others than its author reacted.
create table search_uses (
        topic      text        collate "C" not null,
        hour       timestamptz not null,
        user_id    uuid        not null,
        created_at timestamptz not null default now(),
        primary key (topic, hour, user_id)
);
create index search_uses_hour on search_uses (hour);
create index search_uses_user on search_uses (user_id);

-- What is used by more people than usual. Made anew each minute.
create table search_trends (
        topic      text             collate "C" primary key,
        people     bigint           not null, -- in the last 24 hours
        usual      double precision not null, -- on each of the seven days before
        score      double precision not null,
        created_at timestamptz      not null default now()
);

-- What moderators do not want there.
create table search_hidden_trends (
        topic      text        collate "C" primary key,
        created_at timestamptz not null default now()
);

-- A topic that comes by an edit does not count, nor does one of an old note that is indexed anew.
create function search_note_uses() returns trigger language plpgsql as $$
begin
        insert into search_uses (topic, hour, user_id)
        select distinct word, date_trunc('hour', at), author_id from (
                select author_id, owner_id, words, search_note_time(note_id) as at from added) a,
                unnest(tsvector_to_array(words)) as word
        where owner_id is null and (word like '#%' or word like '/http%://%') and at > now() - interval '8 days' order by 1, 2, 3
        on conflict do nothing;
        return null;
end
$$;
create trigger search_index_uses_added after insert on search_index referencing new table as added
        for each statement execute function search_note_uses();
