-- What is told of chats.
-- Serves programs from: 0004

alter table notifications
        add column chat_id  uuid,                       -- what it is about, when it is a chat
        add column chat_seq bigint not null default 0;  -- and up to which entry of the chat's log one was told
