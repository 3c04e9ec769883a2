-- Clean-up in portions: no statement touches more than `portion` rows of a table. The one without an argument is what the release before
-- calls.

create index user_sessions_idle on user_sessions (last_used_at) where ended_at is null;

-- Logins are kept 90 days, ended sessions 30; a session that was not used for 60 days ends. Call again while one of the numbers is the
-- portion's.
create function cleanup_old_user_data(portion integer, out sessions_ended bigint, out sessions_deleted bigint, out logins_deleted bigint)
language plpgsql as $$
begin
        with idle as (
                select id from user_sessions where ended_at is null and last_used_at < now() - interval '60 days'
                order by last_used_at limit portion for update skip locked
        )
        update user_sessions s set ended_at = now() from idle where s.id = idle.id;
        get diagnostics sessions_ended = row_count;

        with old as (
                select id from user_sessions where ended_at < now() - interval '30 days' order by ended_at limit portion for update skip locked
        )
        delete from user_sessions s using old where s.id = old.id;
        get diagnostics sessions_deleted = row_count;

        with old as (
                select id from user_login_history where created_at < now() - interval '90 days'
                order by created_at limit portion for update skip locked
        )
        delete from user_login_history h using old where h.id = old.id;
        get diagnostics logins_deleted = row_count;
end
$$;
