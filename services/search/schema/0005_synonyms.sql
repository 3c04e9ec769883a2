-- Words that stand for one another. An administrator sets all of them at once.
create table search_synonyms (
        place      bigint      primary key,
        language   text        not null, -- '': of all
        words      text[]      not null, -- as lexemes
        created_at timestamptz not null default now()
);
create index search_synonyms_words on search_synonyms using gin (words);
