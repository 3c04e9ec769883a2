-- What a message adds to the lists of its words waits in a list that searches read, too, and is added for some hundred messages at once: done for
-- each alone it was a third of what a message costs the database.
alter index message_words_found set (fastupdate = on, gin_pending_list_limit = 256);
-- The statement that writes them does it itself.
drop function chat_words(uuid, bigint, text[]);
