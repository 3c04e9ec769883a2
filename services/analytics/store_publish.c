/* Owns the SQL that publishes counts in portions of enough people. The waiting people are counted as their rows are
 * inserted and deleted, so that the cost of a batch depends on its own events, not on how many people wait: each row is
 * written once and deleted once. */
#include "services/analytics/store.h"

#include <string.h>

/* The names and days of these events; nothing else can have changed. */
#define CHANGED                                                                                                        \
        "with changed as (select distinct name, date_trunc('day', to_timestamp(ms / 1000.0), 'UTC') as day"            \
        " from unnest($2::text[], $3::bigint[]) e (name, ms))"

/* Publishes hours that have enough people by themselves, a few at a time (store_publish_counts). They are taken out of
 * the rest of their day, and so are the people who are waiting in no other hour of that day. */
DB_STATEMENT(
    PUBLISH_HOURS, "analytics_service", NULL,
    CHANGED ", hours as materialized (select u.name, c.day, u.bucket, u.value from changed c join unpublished_counts u"
            " on u.name = c.name and u.grain = 'hour' and u.bucket >= c.day and u.bucket < c.day + interval '1 day'"
            " where u.people >= $1::bigint order by u.name, u.bucket limit 10), gone as (delete from "
            "unpublished_people p using hours h where p.name ="
            " h.name and p.grain = 'hour' and p.bucket = h.bucket returning p.name, h.day, p.visitor),"
            " less as (select name, day, visitor, count(*) as hours from gone group by 1, 2, 3),"
            " fewer as (update unpublished_people p set hours = p.hours - l.hours from less l where p.name = l.name and"
            " p.grain = 'day' and p.bucket = l.day and p.visitor = l.visitor and p.hours > l.hours),"
            " nowhere as (delete from unpublished_people p using less l where p.name = l.name and p.grain = 'day'"
            " and p.bucket = l.day and p.visitor = l.visitor and p.hours = l.hours returning p.name, p.bucket),"
            " taken as (delete from unpublished_counts u using hours h where u.name = h.name and u.grain = 'hour'"
            " and u.bucket = h.bucket), rest as (update unpublished_counts u set value = u.value - h.value,"
            " people = u.people - h.people from (select name, day, sum(value)::bigint as value, (select count(*)"
            " from nowhere n where n.name = h.name and n.bucket = h.day) as people from hours h group by 1, 2) h"
            " where u.name = h.name and u.grain = 'day' and u.bucket = h.day)"
            " update business_metrics m set published = m.published + p.value from (select name, 'hour' as grain,"
            " bucket, value from hours union all select name, 'day', day, sum(value)::bigint from hours"
            " group by name, day) p where m.name = p.name and m.grain = p.grain and m.bucket = p.bucket");

/* Publishes the rest of a day, once its hours together have enough people. */
DB_STATEMENT(PUBLISH_DAYS, "analytics_service", NULL,
             CHANGED
             ", days as materialized (select u.name, u.bucket, u.value from changed c join unpublished_counts u on"
             " u.name = c.name and u.grain = 'day' and u.bucket = c.day where u.people >= $1::bigint order by u.name, "
             "u.bucket limit 10),"
             " gone as (delete from unpublished_people p using days d where p.name = d.name and p.grain in ('hour',"
             " 'day') and p.bucket >= d.bucket and p.bucket < d.bucket + interval '1 day'),"
             " taken as (delete from unpublished_counts u using days d where u.name = d.name and u.grain in ('hour',"
             " 'day') and u.bucket >= d.bucket and u.bucket < d.bucket + interval '1 day')"
             " update business_metrics m set published = m.published + d.value from days d where m.name = d.name"
             " and m.grain = 'day' and m.bucket = d.bucket");

/* Repeats until none are left: the planner must know that each round affects only a few, or it reads all waiting
 * people. */
static sn_status publish_all(struct db_tx *tx, const struct db_statement *s, char *const *names, const int64_t *at_ms,
                             size_t n, int64_t min)
{
        int64_t published = 1;

        while (published > 0) {
                TRY(db_exec(tx, s, DB_BINDS(bind_i64(min), bind_texts(names, n), bind_i64s(at_ms, n)), &published));
        }
        return SN_OK;
}

sn_status store_publish_counts(struct db_tx *tx, char *const *names, const int64_t *at_ms, size_t n, int64_t min)
{
        TRY(publish_all(tx, &PUBLISH_HOURS, names, at_ms, n, min));
        return publish_all(tx, &PUBLISH_DAYS, names, at_ms, n, min);
}

/* For the days ("{2026-01-02}") whose new members have just written their first notes. */
DB_STATEMENT(
    PUBLISH_FIRST_NOTES, "analytics_service", NULL,
    "insert into first_note_medians as t (day, people, median_s) select d.day, n.people, m.median_s"
    " from unnest($1::text::date[]) d (day) cross join lateral (select d.day::timestamp at time zone 'UTC' as"
    " since, (d.day + 1)::timestamp at time zone 'UTC' as until) r left join first_note_medians known"
    " on known.day = d.day cross join lateral (select count(*) as people from first_notes"
    " where first_at >= r.since and first_at < r.until) n cross join lateral (select percentile_cont(0.5)"
    " within group (order by greatest(extract(epoch from at - first_at)::float8, 0)) as median_s from first_notes"
    " where first_at >= r.since and first_at < r.until) m"
    " where n.people >= coalesce(known.people, 0) + $2::bigint order by d.day"
    " on conflict (day) do update set people = excluded.people, median_s = excluded.median_s");

sn_status store_publish_first_notes(struct db_tx *tx, const char *days, int64_t min)
{
        return strcmp(days, "{}") == 0
                   ? SN_OK
                   : db_exec(tx, &PUBLISH_FIRST_NOTES, DB_BINDS(bind_text(days), bind_i64(min)), NULL);
}

/* Deletes the oldest ones: the runs of a day can delete more than a day leaves behind. */
DB_STATEMENT(DROP_UNPUBLISHED, "analytics_service", NULL,
             "with old as (select name, grain, bucket from unpublished_counts where bucket < now() - interval '10 days'"
             " order by bucket limit 200), people as (delete from unpublished_people p using old o"
             " where p.name = o.name and p.grain = o.grain and p.bucket = o.bucket)"
             " delete from unpublished_counts u using old o"
             " where u.name = o.name and u.grain = o.grain and u.bucket = o.bucket");

sn_status store_drop_unpublished(struct db_tx *tx)
{
        return db_exec(tx, &DROP_UNPUBLISHED, DB_NO_BINDS, NULL);
}
