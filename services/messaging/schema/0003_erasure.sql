-- What names a member whose account ended: what they reacted to, and the entries of logs by them and about them. Their messages are
-- found by what they were sent under.
create index message_reactions_of_user on message_reactions (user_id);
create index messages_by on messages (sender_id) where kind <> 1;
create index messages_about on messages (target_id) where kind in (2, 3, 11);
