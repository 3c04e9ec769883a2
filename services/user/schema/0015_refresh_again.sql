-- The answer to a refresh that was lost on the way is given again, for 30 seconds, to the client that holds the session's key: its access
-- token is kept for that, sealed with a key that is not in the database.
alter table user_sessions
        add column rotated_at timestamptz,
        add column answer     bytea;
