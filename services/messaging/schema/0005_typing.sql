-- Who writes just now: for those who ask, and for those whom no signal reaches. Worth nothing after a crash.
create unlogged table typing_indicators (
        chat_id    uuid        not null,
        user_id    uuid        not null,
        until_at   timestamptz not null,
        created_at timestamptz not null default now(),
        primary key (chat_id, user_id)
);
create index typing_indicators_over on typing_indicators (until_at);
