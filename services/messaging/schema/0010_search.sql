-- By which words messages are found. No text: the words, each under its chat and the 4,096 numbers of its log among which the message is, so that
-- what is found in one chat costs nothing in another, and in a long one is looked for from its end, a portion at a time.
create table message_words (
        message_id uuid        primary key,
        chat_id    uuid        not null,
        seq        bigint      not null,
        words      tsvector    not null,
        created_at timestamptz not null default now()
);
create index message_words_found on message_words using gin (words) with (fastupdate = off);

create function chat_portion(seq bigint) returns bigint
language sql immutable as $$ select seq >> 12 $$;
-- Two chats may share a prefix: who searches compares chat_id as well.
create function chat_word_prefix(chat uuid, portion bigint) returns text
language sql immutable as $$ select right(chat::text, 12) || '.' || portion || '/' $$;
create function chat_words(chat uuid, seq bigint, words text[]) returns tsvector
language sql immutable as $$
        select array_to_tsvector(array(select chat_word_prefix(chat, chat_portion(seq)) || w from unnest(words) w))
$$;
-- All of the words, or what begins so.
create function chat_query(chat uuid, portion bigint, words text[]) returns tsquery
language sql immutable as $$
        select string_agg('''' || chat_word_prefix(chat, portion) || replace(replace(w, '\', '\\'), '''', '''''') || ''':*', ' & ')::tsquery
        from unnest(words) w
$$;
