-- Inserts a row into each table that has none, and returns the tables that remain empty. Values depend on the column's type, or are the first that a
-- check lists. Equal types have equal values, so that rows fit together without foreign keys, which are not checked here.
set session_replication_role = replica;

create function pg_temp.value_of(a pg_attribute, numbers text) returns text language sql as $$
        select coalesce(
                (select (regexp_match(pg_get_constraintdef(c.oid), '''([^'']+)'''))[1] from pg_constraint c
                        where c.conrelid = a.attrelid and c.conkey = array[a.attnum] and c.contype = 'c'),
                case when t.typcategory = 'A' then '{}'
                        when t.typtype = 'e' then (select min(enumlabel) from pg_enum where enumtypid = t.oid)
                        when t.typname = 'uuid' then lpad(to_hex((extract(epoch from now()) * 1000)::bigint), 12, '0') || '70008000000000000001'
                        when t.typname in ('timestamptz', 'date') then now()::text
                        when t.typname = 'interval' then '1 hour'
                        when t.typname = 'bytea' then '\x01'
                        when t.typname = 'jsonb' then '{}'
                        when t.typname = 'inet' then '127.0.0.1'
                        when t.typname = 'bool' then 'true'
                        when numbers = 'ascending' then a.attnum::text
                        else numbers end)
        from pg_type t where t.oid = a.atttypid
$$;

-- columns: all; those that need a value; or these and one more.
create function pg_temp.insert_row(name regclass, columns text, numbers text) returns boolean language plpgsql as $$
declare
        named text;
        made text;
begin
        select string_agg(quote_ident(attname), ', ' order by attnum),
                string_agg(format('%L::%s', pg_temp.value_of(a, numbers), format_type(atttypid, atttypmod)), ', ' order by attnum)
                into named, made from pg_attribute a
                where attrelid = name and attnum > 0 and not attisdropped and attgenerated = '' and attidentity <> 'a'
                and (columns = 'all' or attnotnull and not atthasdef or columns = 'one more' and attnum = (
                        select min(attnum) from pg_attribute
                        where attrelid = name and attnum > 0 and not attisdropped and not attnotnull and not atthasdef));
        execute case when named is null then format('insert into %s default values', name)
                else format('insert into %s (%s) values (%s)', name, named, made) end;
        return true;
exception when others then
        return false;
end $$;

create function pg_temp.fill_tables() returns text language plpgsql as $$
declare
        name regclass;
        filled boolean;
        numbers text;
        empty text := '';
begin
        for name in select oid from pg_class
                where relnamespace = 'public'::regnamespace and relkind in ('r', 'p') and not relispartition order by relname loop
                execute format('select exists (select from %s)', name) into filled;
                foreach numbers in array array['1', '2', 'ascending'] loop
                        filled := filled or pg_temp.insert_row(name, 'all', numbers) or pg_temp.insert_row(name, 'needed', numbers)
                                or pg_temp.insert_row(name, 'one more', numbers);
                end loop;
                if not filled then
                        empty := empty || name || ' ';
                end if;
        end loop;
        return empty;
end $$;

select pg_temp.fill_tables();
