-- How many people must have a query in their histories before others see it is secret, and what they see once stays for a while: with a number that is
-- known, four accounts of one's own would tell whether anybody else ever asked the same, and when (services/search/README.md).
-- Serves programs from: 0012

create table search_secrets (
        secret     uuid        primary key default gen_random_uuid(),
        created_at timestamptz not null default now()
);
comment on table search_secrets is 'read-only: drawn once; what thresholds are derived from';
insert into search_secrets default values;

-- Five to twelve people, by a hash of the secret, the query and the month. Of thirty queries, one each has 5 and 12, two 6 and 11, four 7 and 10, and
-- eight 8 and 9: each number is at most twice as likely as the next.
create function search_people_needed(key text) returns integer language sql stable cost 1000 as $$
        select 5 + width_bucket(get_byte(sha256(convert_to(secret || ' ' || to_char(now() at time zone 'UTC', 'YYYY-MM ') || key, 'UTF8')), 0) * 30 / 256,
                array[1, 3, 7, 15, 23, 27, 29])
        from search_secrets
$$;

alter table search_suggestions add shown_until timestamptz; -- to others than those who asked; null: not yet
-- Not the spelling of whoever asked first.
update search_suggestions set query = query_key,
        shown_until = case when people >= search_people_needed(query_key) then now() + interval '30 days' end;
create index search_suggestions_shown on search_suggestions (query_key) where shown_until is not null;
create index search_suggestions_due on search_suggestions (shown_until) where shown_until is not null;

-- As before, and shows what enough people ask.
create or replace function search_count_queries() returns trigger language plpgsql as $$
begin
        if tg_op = 'INSERT' then
                insert into search_suggestions as s (query_key, query, people)
                select query_key, query_key, count(*) from added group by query_key order by query_key
                on conflict (query_key) do update set people = s.people + excluded.people;
                update search_suggestions set shown_until = now() + interval '30 days'
                where query_key in (select query_key from added) and coalesce(shown_until < now(), true) and people >= 5
                        and people >= search_people_needed(query_key);
        else
                perform from search_suggestions where query_key in (select query_key from removed) order by query_key for update;
                update search_suggestions s set people = s.people - r.n
                from (select query_key, count(*) as n from removed group by query_key) r where s.query_key = r.query_key;
                delete from search_suggestions where people <= 0 and coalesce(shown_until < now(), true)
                        and query_key in (select query_key from removed);
        end if;
        return null;
end
$$;
