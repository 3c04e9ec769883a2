/* Owns the SQL that stores events with their roll-ups; store_publish.c publishes them. */
#include "services/analytics/store.h"

#include <string.h>
#include "services/analytics/events.h"

/* Creates pseudonyms for new members, but not for events that undo something, nor for erased members: their later
 * events count without a person. The first day is that of the event that is stored first, and never changes: otherwise
 * late events could move a member from one group to another, and the difference would be about that member alone. Known
 * members who have only undone something have no first day yet, so they count without a person, too (INSERT_EVENTS): a
 * visit always has a first day. */
DB_STATEMENT(
    ADD_PEOPLE, "analytics_service", NULL,
    "with incoming as (select e.u, at, (at at time zone 'UTC')::date as day, p.visitor, p.first_day, p.first_at"
    " from unnest($1::uuid[], $2::text[], $3::bigint[]) e (u, name, ms)"
    " cross join lateral to_timestamp(ms / 1000.0) at left join analytics_people p on p.user_id = e.u"
    " where e.u is not null and name not like '%.deleted' and name not like '%.removed'"
    " and not exists (select from analytics_erased x where x.id = sha256(uuid_send(e.u)))),"
    " people as (insert into analytics_people as p (user_id, first_day, first_at) select u, min(day), min(at)"
    " from incoming where coalesce(first_day, 'infinity') = 'infinity' group by u order by u on conflict"
    " (user_id) do update set first_day = excluded.first_day, first_at = excluded.first_at"
    " where p.first_day = 'infinity'),"
    " sooner as (select visitor, min(at) as at from incoming where day = first_day"
    " and at < coalesce(first_at, 'infinity') group by 1),"
    " moved as (update analytics_people p set first_at = s.at from sooner s where p.visitor = s.visitor)"
    " update first_notes t set first_at = s.at from sooner s where t.visitor = s.visitor");
/* Members who were only followed, or asked about, have not been active yet. */
DB_STATEMENT(ADD_INACTIVE, "analytics_service", NULL,
             "insert into analytics_people (user_id, first_day)"
             " select distinct u, date 'infinity' from unnest($1::uuid[]) u where u is not null"
             " and not exists (select from analytics_erased x where x.id = sha256(uuid_send(u))) order by u"
             " on conflict (user_id) do nothing");

/* created_at is after the lock was had: what is read up to a moment under the same lock never grows (store_results.c).
 * An id counts once within the days in which an event may still come (EVENT_OLDEST_MS, and a day more); "limit 1" makes
 * that one look-up by index for each event, since a plan made while the month was empty would read all of it each time.
 */
DB_STATEMENT(
    INSERT_EVENTS, "analytics_service", NULL,
    "with incoming as (select distinct on (i.id) i.id, to_timestamp(i.ms / 1000.0) as at, i.name,"
    " coalesce(p.visitor, i.visitor) as visitor, i.user_id is not null as member, coalesce(a.visitor, i.object_id) as "
    "object_id,"
    " nullif(i.properties, '')::jsonb as properties"
    " from unnest($1::uuid[], $2::bigint[], $3::text[], $4::uuid[], $5::uuid[], $6::uuid[], $7::text[], $8::uuid[])"
    " i (id, ms, name, user_id, visitor, object_id, properties, about)"
    " left join analytics_people p on p.user_id = i.user_id and p.first_day < 'infinity'"
    " left join analytics_people a on a.user_id = i.about),"
    " fresh as (insert into user_events (id, at, name, visitor, member, object_id, properties, created_at)"
    " select i.id, i.at, i.name, i.visitor, i.member, i.object_id, i.properties, clock_timestamp() from incoming i"
    " left join lateral (select true as known from user_events e where e.id = i.id"
    " and e.at > now() - interval '8 days' and e.at < now() + interval '1 day' limit 1) e on true"
    " where e.known is null on conflict do nothing returning name, at, visitor, member, object_id),"
    " visits as (insert into user_sessions as s (day, visitor, member, first_at, last_at, events, created_at)"
    " select (at at time zone 'UTC')::date as day, visitor, bool_or(member), min(at), max(at), count(*),"
    " statement_timestamp() from fresh"
    " where visitor is not null group by 1, 2 order by 1, 2"
    " on conflict (day, visitor) do update set first_at = least(s.first_at, excluded.first_at),"
    " last_at = greatest(s.last_at, excluded.last_at), events = s.events + excluded.events"
    " returning s.day, s.visitor, s.member, s.created_at = statement_timestamp() as is_new),"
    /* Days on which somebody was there for the first time change for whom the days before and after it count: what all
     * of theirs add up to, less what they did without it. The statement sees user_sessions as it was before. */
    " near as (select visitor, day, member, true as is_new from visits where is_new union all"
    " select a.visitor, s.day, true, false from (select visitor, min(day) as first, max(day) as last from visits"
    " where is_new and member group by visitor) a cross join lateral (select day from user_sessions s"
    " where s.visitor = a.visitor and s.day > a.first - 31 and s.day < a.last + 31 limit 1000) s),"
    " around as (select *, lead(day) over theirs as next, min(day) filter (where not is_new) over (partition by visitor"
    " order by day rows between 1 following and unbounded following) as next_before, lag(day) over theirs as last,"
    " max(day) filter (where not is_new) over (partition by visitor order by day rows between unbounded preceding and"
    " 1 preceding) as last_before from near"
    " window theirs as (partition by visitor order by day)),"
    " changed as (select member, days, c.day, c.change from around, unnest(array[1, 7, 28]) days, lateral (values"
    " (day, case when is_new then 1 end), (least(day + days, next), -1),"
    " (case when not is_new then least(day + days, next_before) end, 1)) c (day, change)"
    " where (member or days = 1) and c.day is not null and c.change is not null),"
    " active as (insert into active_changes as c (member, days, day, change) select member, days, day, sum(change)"
    " from changed group by 1, 2, 3 order by 1, 2, 3"
    " on conflict (member, days, day) do update set change = c.change + excluded.change),"
    " returned as (insert into cohort_visits as c (first_day, day, gap, visits) select p.first_day, a.day, v.gap,"
    " sum(v.change) from around a join analytics_people p on p.visitor = a.visitor, lateral (values"
    " (least(coalesce(a.day - a.last, 31), 31), 1),"
    " (case when not a.is_new then least(coalesce(a.day - a.last_before, 31), 31) end, -1)) v (gap, change)"
    " where a.member and v.gap is not null group by 1, 2, 3 having sum(v.change) <> 0 order by 1, 2, 3"
    " on conflict (first_day, day, gap) do update set visits = c.visits + excluded.visits),"
    /* Hours with enough people are published at once; the rest waits, with its people (store_publish.c). */
    " cells as (select name, date_trunc('hour', at, 'UTC') as hour, count(*) as value,"
    " count(distinct coalesce(visitor, '00000000-0000-0000-0000-000000000000')) >= $9::bigint as enough"
    " from fresh group by 1, 2),"
    " waits as (select distinct f.name, c.hour, coalesce(f.visitor, '00000000-0000-0000-0000-000000000000') as visitor"
    " from fresh f join cells c on c.name = f.name and c.hour = date_trunc('hour', f.at, 'UTC') and not c.enough),"
    " of_hour as (insert into unpublished_people (name, grain, bucket, visitor, hours) select name, 'hour', hour,"
    " visitor, 1 from waits order by name, hour, visitor on conflict do nothing returning name, bucket, visitor),"
    " of_day as (insert into unpublished_people as p (name, grain, bucket, visitor, hours, created_at)"
    " select name, 'day', date_trunc('day', bucket, 'UTC'), visitor, count(*), statement_timestamp() from of_hour"
    " group by 1, 3, 4 order by 1, 3, 4 on conflict (name, grain, bucket, visitor) do update"
    " set hours = p.hours + excluded.hours returning name, bucket, created_at = statement_timestamp() as is_new),"
    " waiting as (insert into unpublished_counts as u (name, grain, bucket, value, people) select name, grain, bucket,"
    " sum(value)::bigint, sum(people)::bigint from (select name, grain, date_trunc(grain, hour, 'UTC') as bucket,"
    " value, 0 as people from cells, (values ('hour'), ('day')) g (grain) where not enough union all"
    " select name, 'hour', bucket, 0, 1 from of_hour union all select name, 'day', bucket, 0, 1 from of_day"
    " where is_new) w group by 1, 2, 3 order by 1, 2, 3 on conflict (name, grain, bucket) do update"
    " set value = u.value + excluded.value, people = u.people + excluded.people),"
    " arrived as (insert into new_members as m (day, people) select v.day, count(*) from visits v join "
    "analytics_people p"
    " on p.visitor = v.visitor and p.first_day = v.day where v.is_new and v.member group by v.day order by v.day"
    " on conflict (day) do update set people = m.people + excluded.people),"
    /* Somebody who is new in a day is new in an hour of it. */
    " of_hours as (insert into metric_people (name, grain, bucket, visitor)"
    " select distinct name, 'hour', date_trunc('hour', at, 'UTC'), visitor from fresh where visitor is not null"
    " on conflict do nothing returning name, grain, bucket, visitor),"
    " of_days as (insert into metric_people (name, grain, bucket, visitor)"
    " select distinct name, 'day', date_trunc('day', bucket, 'UTC'), visitor from of_hours"
    " on conflict do nothing returning name, grain, bucket),"
    " counted as (select name, grain, date_trunc(grain, hour, 'UTC') as bucket, value, 0 as people,"
    " case when enough then value else 0 end as published from cells, (values ('hour'), ('day')) g (grain)"
    " union all select name, grain, bucket, 0, count(*), 0 from of_hours group by 1, 2, 3"
    " union all select name, grain, bucket, 0, count(*), 0 from of_days group by 1, 2, 3),"
    " rolled as (insert into business_metrics as m (name, grain, bucket, value, people, published)"
    " select name, grain, bucket, sum(value)::bigint, sum(people)::bigint, sum(published)::bigint from counted"
    " group by 1, 2, 3 on conflict (name, grain, bucket) do update set value = m.value + excluded.value,"
    " people = m.people + excluded.people, published = m.published + excluded.published),"
    " began as (insert into first_notes as t (visitor, at, first_at) select f.visitor, min(f.at), p.first_at from "
    "fresh f"
    " join analytics_people p on p.visitor = f.visitor left join first_notes k on k.visitor = f.visitor"
    " where f.name = 'note.created' and f.member and f.at < coalesce(k.at, 'infinity') group by 1, 3"
    " order by 1 on conflict (visitor) do update set at = excluded.at where excluded.at < t.at returning first_at),"
    /* Notes: new and deleted ones, and who engages with whose. */
    " gone as (delete from content_performance c using fresh f where c.note_id = f.object_id"
    " and f.name in ('note.deleted', 'comment.deleted', 'comment.removed')),"
    " written as (insert into content_performance (note_id, author) select f.object_id, f.visitor from fresh f"
    " where f.name = 'note.created' and f.visitor is not null and f.object_id is not null"
    " and f.object_id not in (select g.object_id from fresh g where g.name = 'note.deleted' and g.object_id is not "
    "null)"
    " on conflict do nothing"
    " returning note_id, author),"
    " engaged as (insert into user_engagement_profiles as u (visitor, author, reads, likes, renotes, answers)"
    " select f.visitor, c.author, coalesce(sum(w) filter (where f.name = 'note_view'), 0), coalesce(sum(w) filter "
    "(where f.name = 'note.liked'), 0),"
    " coalesce(sum(w) filter (where f.name = 'renote.created'), 0), coalesce(sum(w) filter (where f.name = "
    "'comment.created'), 0)"
    " from (select *, case when name in ('note_view', 'note.liked', 'renote.created', 'comment.created') then"
    " analytics_decay(at) end as w from fresh where member) f"
    " join lateral (select author from content_performance where note_id = f.object_id union all"
    /* of the same batch: what was written by this statement cannot be read by it */
    " select author from written where note_id = f.object_id limit 1) c on true join analytics_people p on p.visitor = "
    "f.visitor"
    " where w is not null and p.profiled and p.user_id is not null and c.author <> f.visitor group by 1, 2 order by 1, "
    "2"
    " on conflict (visitor, author) do update set reads = u.reads + excluded.reads, likes = u.likes + excluded.likes,"
    " renotes = u.renotes + excluded.renotes, answers = u.answers + excluded.answers)"
    " select (select count(*) from fresh) as n, coalesce((select array_agg(distinct (first_at at time zone "
    "'UTC')::date)"
    " from began)::text, '{}') as first_notes");

struct columns {
        char **ids, **names, **user_ids, **visitors, **object_ids, **properties, **about;
        int64_t *at_ms;
};

static struct columns to_columns(struct arena *arena, AnalyticsRows__TakenEvent *const *events, size_t n)
{
        char **texts = ARENA_ARRAY(arena, char *, n * 7 + 1);
        struct columns c = {texts,         texts + n,     texts + 2 * n, texts + 3 * n,
                            texts + 4 * n, texts + 5 * n, texts + 6 * n, ARENA_ARRAY(arena, int64_t, n + 1)};

        for (size_t i = 0; i < n; i++) {
                c.ids[i] = events[i]->id;
                c.names[i] = events[i]->name;
                c.user_ids[i] = events[i]->user_id[0] != '\0' ? events[i]->user_id : NULL;
                c.visitors[i] = events[i]->visitor[0] != '\0' ? events[i]->visitor : NULL;
                c.object_ids[i] = events[i]->object_id[0] != '\0' ? events[i]->object_id : NULL;
                c.properties[i] = events[i]->properties;
                c.about[i] = events[i]->about_user_id[0] != '\0' ? events[i]->about_user_id : NULL;
                c.at_ms[i] = events[i]->at_ms;
        }
        return c;
}

sn_status store_add_people(struct db_tx *tx, char *const *user_ids, size_t n)
{
        return db_exec(tx, &ADD_INACTIVE, DB_BINDS(bind_uuids(user_ids, n)), NULL);
}

/* Months to come exist (months.c), but events may be of an earlier month: after an outage, or if analytics_service was
 * added to a network that has been running for long. Without its partitions nothing could be stored any more. */
DB_STATEMENT(MAKE_EARLIER_MONTHS, "analytics_service", NULL,
             "select analytics_make_months(month::date, 0) as made from (select distinct date_trunc('month',"
             " to_timestamp(ms / 1000.0), 'UTC') as month from unnest($1::bigint[]) ms) m"
             " where month < date_trunc('month', now(), 'UTC')");

static sn_status make_earlier_months(struct db_tx *tx, const int64_t *at_ms, size_t n)
{
        struct db_rows *rows = NULL;

        for (size_t i = 0; i < n; i++) {
                if (at_ms[i] < db_call(tx)->now_ms - EVENT_OLDEST_MS) {
                        return db_rows(tx, &MAKE_EARLIER_MONTHS, DB_BINDS(bind_i64s(at_ms, n)), &rows);
                }
        }
        return SN_OK;
}

sn_status store_events(struct db_tx *tx, AnalyticsRows__TakenEvent *const *events, size_t n, int64_t min)
{
        struct columns c = to_columns(db_arena(tx), events, n);
        struct db_rows *rows = NULL;

        TRY(db_lock_one(tx, "analytics", "events"));
        TRY(make_earlier_months(tx, c.at_ms, n));
        TRY(db_exec(tx, &ADD_PEOPLE, DB_BINDS(bind_uuids(c.user_ids, n), bind_texts(c.names, n), bind_i64s(c.at_ms, n)),
                    NULL));
        TRY(store_add_people(tx, c.about, n));
        TRY(db_rows(tx, &INSERT_EVENTS,
                    DB_BINDS(bind_uuids(c.ids, n), bind_i64s(c.at_ms, n), bind_texts(c.names, n),
                             bind_uuids(c.user_ids, n), bind_uuids(c.visitors, n), bind_uuids(c.object_ids, n),
                             bind_texts(c.properties, n), bind_uuids(c.about, n), bind_i64(min)),
                    &rows));
        if (db_i64(rows, 0, "n") == 0) {
                return SN_OK;
        }
        TRY(store_publish_counts(tx, c.names, c.at_ms, n, min));
        return store_publish_first_notes(tx, db_text(rows, 0, "first_notes"), min);
}

/* Moments are whole milliseconds; this one has passed when the lock is released. */
DB_STATEMENT(
    SELECT_MOMENT, "analytics_service", NULL,
    "with now as materialized (select date_trunc('milliseconds', clock_timestamp()) + interval '1 ms' as moment)"
    " select moment, pg_sleep(0.002)::text as slept from now");

sn_status store_moment(struct db_tx *tx, int64_t *counted_ms)
{
        struct db_rows *rows = NULL;

        /* Events that are being stored now become visible later than their stored time. */
        TRY(db_lock_one(tx, "analytics", "events"));
        TRY(db_rows(tx, &SELECT_MOMENT, DB_NO_BINDS, &rows));
        *counted_ms = db_i64(rows, 0, "moment");
        return SN_OK;
}

DB_STATEMENT(FORGET_MEMBER, "analytics_service", NULL,
             "with gone as (update analytics_people set user_id = null where user_id = $1 returning visitor),"
             " readers as (delete from user_engagement_profiles u using gone where u.visitor = gone.visitor),"
             " authors as (delete from user_engagement_profiles u using gone where u.author = gone.visitor"
             " and u.visitor <> gone.visitor)"
             " delete from content_performance c using gone where c.author = gone.visitor");
DB_STATEMENT(REMEMBER_ERASED, "analytics_service", NULL,
             "insert into analytics_erased (id) values (sha256(uuid_send($1::uuid))) on conflict do nothing");
DB_STATEMENT(ERASE_KEYS, "analytics_service", NULL, "delete from idempotency_keys where actor_id = $1");

sn_status store_forget_member(struct db_tx *tx, const char *user_id)
{
        TRY(db_lock_one(tx, "analytics", "events"));
        TRY(db_exec(tx, &FORGET_MEMBER, DB_BINDS(bind_uuid(user_id)), NULL));
        TRY(db_exec(tx, &REMEMBER_ERASED, DB_BINDS(bind_uuid(user_id)), NULL));
        return db_exec(tx, &ERASE_KEYS, DB_BINDS(bind_uuid(user_id)), NULL);
}

/* ---- Salts and months ---- */

DB_STATEMENT(SHARE_SALT, "analytics_service", NULL,
             "insert into analytics_salts as s (day, salt) values (($1::timestamptz at time zone 'UTC')::date, $2)"
             " on conflict (day) do update set salt = s.salt returning salt");

sn_status store_share_salt(struct db_tx *tx, int64_t day_ms, const uint8_t fresh[32], uint8_t out[32])
{
        struct db_rows *rows = NULL;
        size_t len = 0;

        TRY(db_rows(tx, &SHARE_SALT, DB_BINDS(bind_time_ms(day_ms), bind_bytes(fresh, 32)), &rows));
        const uint8_t *salt = db_bytes(rows, 0, "salt", &len);

        for (size_t i = 0; i < 32 && len == 32; i++) {
                out[i] = salt[i];
        }
        return len == 32 ? SN_OK : SN_INTERNAL;
}

DB_STATEMENT(DESTROY_SALTS, "analytics_service", NULL,
             "delete from analytics_salts where day < ($1::timestamptz at time zone 'UTC')::date");

sn_status store_destroy_salts(struct db_tx *tx, int64_t today_ms)
{
        return db_exec(tx, &DESTROY_SALTS, DB_BINDS(bind_time_ms(today_ms)), NULL);
}

DB_STATEMENT(UPDATE_LIMITS, "analytics_service", NULL,
             "update analytics_limits set min_group = $1 where min_group <> $1");

sn_status store_limits(struct db_tx *tx, int64_t min_group)
{
        return db_exec(tx, &UPDATE_LIMITS, DB_BINDS(bind_i64(min_group)), NULL);
}

/* With the month of events that clients may still send (EVENT_OLDEST_MS). */
DB_STATEMENT(MAKE_MONTHS, "analytics_service", NULL, "select analytics_make_months(current_date - 8, 3) as made");

sn_status store_make_months(struct db_tx *tx)
{
        struct db_rows *rows = NULL;

        return db_rows(tx, &MAKE_MONTHS, DB_NO_BINDS, &rows);
}

DB_STATEMENT(
    DROP_MONTH, "analytics_service", NULL,
    "select analytics_drop_month((date_trunc('month', now()) - $1::bigint * interval '1 month')::date) as dropped");

sn_status store_drop_month(struct db_tx *tx, int64_t months, bool *more)
{
        struct db_rows *rows = NULL;

        TRY(db_rows(tx, &DROP_MONTH, DB_BINDS(bind_i64(months)), &rows));
        *more = db_i64(rows, 0, "dropped") > 0;
        return SN_OK;
}
