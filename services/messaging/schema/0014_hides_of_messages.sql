-- Whether anybody has deleted a message for themselves: almost nobody has, and it is asked for each message that is shown.
create index message_hides_of on message_hides (message_id);
