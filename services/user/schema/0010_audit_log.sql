-- What was changed that matters for security or for running the network: who, what, when, from where, before and after. The app may add
-- entries and read them, and nothing else. Each entry gets a link of a chain when its transaction commits: a hash over the entry's content
-- and the link before it, so that an entry that is altered, deleted or moved is found (`sonet admin audit verify`). Entries hold personal
-- data and go when a member is erased; their links stay, without content.

create table audit_log (
        id          uuid        primary key,
        occurred_at timestamptz not null,
        action      text        not null, -- "user.suspended"
        actor_id    uuid,                 -- NULL: the operator, by `sonet admin`, or SoNet itself
        subject_id  uuid,                 -- whom it is about
        session_id  uuid,
        address     text        not null,
        client      text        not null, -- user agent, or the account that ran `sonet admin`
        before      jsonb,
        after       jsonb,
        salt        uuid        not null default gen_random_uuid(), -- so that the link of an erased entry tells nothing of it
        created_at  timestamptz not null default now()
);
comment on table audit_log is 'append-only: the app role may insert and read'; -- db/migrate.c makes it so
create index audit_log_of_subject on audit_log (subject_id);
create index audit_log_of_actor on audit_log (actor_id);
create index audit_log_erasures on audit_log using gin (after) where action = 'audit.erased';

create table audit_chain (
        position     bigint      primary key, -- 1, 2, 3 …
        entry_id     uuid        not null unique,
        occurred_at  timestamptz not null,
        action       text        not null,
        content_hash bytea       not null,
        hash         bytea       not null,
        created_at   timestamptz not null default now()
);
comment on table audit_chain is 'read-only: written by the trigger of audit_log';

-- A field as it is hashed: its length and itself, so that no two contents are spelled alike; "-" for NULL.
create function audit_field(value text) returns text language sql immutable
return coalesce(octet_length(value) || ':' || value, '-') || ',';

create function audit_micros(at timestamptz) returns text language sql immutable
return (extract(epoch from at) * 1000000)::bigint::text;

-- The links are made at COMMIT, one transaction after the other: the lock is held while that transaction is written to disk, not while it
-- works.
create function audit_link() returns trigger language plpgsql security definer set search_path = public, pg_temp as $$
declare
        head audit_chain;
        content bytea;
begin
        content = sha256(convert_to(audit_field(new.id::text) || audit_field(audit_micros(new.occurred_at)) || audit_field(new.action)
                || audit_field(new.actor_id::text) || audit_field(new.subject_id::text) || audit_field(new.session_id::text)
                || audit_field(new.address) || audit_field(new.client) || audit_field(new.before::text) || audit_field(new.after::text)
                || audit_field(new.salt::text), 'UTF8'));
        perform pg_advisory_xact_lock(6041200617113143);
        select * into head from audit_chain order by position desc limit 1;
        insert into audit_chain (position, entry_id, occurred_at, action, content_hash, hash)
        select n.position, new.id, new.occurred_at, new.action, content,
                sha256(coalesce(head.hash, ''::bytea) || convert_to(audit_field(n.position::text) || audit_field(new.id::text)
                        || audit_field(audit_micros(new.occurred_at)) || audit_field(new.action), 'UTF8') || content)
        from (select coalesce(head.position, 0) + 1 as position) n;
        return null;
end
$$;
create constraint trigger audit_log_link after insert on audit_log deferrable initially deferred
        for each row execute function audit_link();

-- The entries of a member who is erased go; which they were is an entry itself, without which their absence would be tampering.
create function audit_erase(member uuid) returns bigint language plpgsql security definer set search_path = public, pg_temp as $$
declare
        erased jsonb;
begin
        with gone as (delete from audit_log where actor_id = member or subject_id = member returning id)
        select jsonb_agg(id::text) into erased from gone;
        if erased is null then
                return 0;
        end if;
        insert into audit_log (id, occurred_at, action, address, client, after)
        values (gen_random_uuid(), clock_timestamp(), 'audit.erased', '', 'SoNet', jsonb_build_object('entries', erased));
        return jsonb_array_length(erased);
end
$$;
