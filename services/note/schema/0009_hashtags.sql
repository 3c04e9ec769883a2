-- What the trigger looked up for each hashtag comes with the statement that writes them all.
drop trigger note_hashtags_complete on note_hashtags;
drop function note_hashtags_complete();
