-- A token that was used is kept an hour longer than it is taken: who takes it goes by another clock.
create or replace function cleanup_used_tokens(portion integer) returns bigint language plpgsql as $$
declare
        n bigint;
begin
        with expired as (
                select id from used_tokens where expires_at < now() - interval '1 hour' order by expires_at limit portion for update skip locked
        )
        delete from used_tokens t using expired where t.id = expired.id;
        get diagnostics n = row_count;
        return n;
end
$$;

-- What somebody did to others stays when they are erased: nobody gets rid of that by deleting their own account.
create or replace function audit_erase(member uuid) returns bigint language plpgsql security definer set search_path = public, pg_temp as $$
declare
        erased jsonb;
begin
        with gone as (delete from audit_log where subject_id = member or (actor_id = member and subject_id is null) returning id)
        select jsonb_agg(id::text) into erased from gone;
        if erased is null then
                return 0;
        end if;
        insert into audit_log (id, occurred_at, action, address, client, after)
        values (gen_random_uuid(), clock_timestamp(), 'audit.erased', '', 'SoNet', jsonb_build_object('entries', erased));
        return jsonb_array_length(erased);
end
$$;
