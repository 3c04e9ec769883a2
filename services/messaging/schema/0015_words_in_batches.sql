-- Who sends does not wait any more while the words of some hundred messages go from the index's list to their places: a job does it
-- (index_words.c). The limit is for when it does not run.
alter index message_words_found set (gin_pending_list_limit = 4096);
create function index_message_words() returns bigint
language sql security definer set search_path = public, pg_temp as $$ select gin_clean_pending_list('message_words_found') $$;
