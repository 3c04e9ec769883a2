-- How often a member has reacted to a message: who changes their mind without end would fill the log of the chat.
create index messages_reactings on messages (target_id, sender_id) where kind = 6;
