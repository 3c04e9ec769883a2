-- Whom messages name, of those who are in the chat.
create table message_mentions (
        message_id uuid        not null,
        user_id    uuid        not null,
        chat_id    uuid        not null,
        seq        bigint      not null, -- of the message
        created_at timestamptz not null default now(),
        primary key (message_id, user_id)
);
create index message_mentions_of_user on message_mentions (user_id, chat_id, seq);
