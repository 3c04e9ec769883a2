-- What a member reacted with: for their archive.
create index message_reactions_of_member on message_reactions (user_id, message_id);
