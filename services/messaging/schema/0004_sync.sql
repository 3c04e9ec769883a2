-- What has changed of a member's chats since they were told. A row's changed_xid is that of who changed it last: what a snapshot did
-- not see has one that was not over in it.
alter table chat_participants
        add column joined_xid xid8 not null default pg_current_xact_id(); -- when what they may read has grown
alter table message_hides
        add column chat_id uuid,
        add column xid     xid8 not null default pg_current_xact_id();
update message_hides h set chat_id = (select chat_id from messages where id = h.message_id);
delete from message_hides where chat_id is null;
alter table message_hides alter column chat_id set not null;
create index message_hides_changed on message_hides (user_id, chat_id, xid);
