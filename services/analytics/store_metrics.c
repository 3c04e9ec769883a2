/* Owns the SQL of metrics. */
#include "services/analytics/store.h"

#include "google/protobuf/timestamp.pb-c.h"

DB_STATEMENT(SELECT_COUNTS, "analytics_service", &analytics_rows__point__message,
             "select bucket as at, value::float8 as value, people from business_metrics"
             " where name = $1 and grain = $2 and bucket >= $3 and bucket < $4 order by bucket limit 3048");

sn_status store_counts(struct db_tx *tx, const char *name, const char *grain, int64_t from_ms, int64_t to_ms, size_t *n,
                       AnalyticsRows__Point ***points)
{
        return db_list(tx, &SELECT_COUNTS,
                       DB_BINDS(bind_text(name), bind_text(grain), bind_time_ms(from_ms), bind_time_ms(to_ms)), n,
                       points);
}

#define DAY(parameter) "(" parameter "::timestamptz at time zone 'UTC')::date"

/* The sums of what changed from day to day (store_events.c). Days without a change are those before them. */
DB_STATEMENT(
    SELECT_ACTIVE, "analytics_service", &analytics_rows__point__message,
    "with changes as (select day, change from active_changes where member = $1 and days = $2::bigint"
    " and day < " DAY("$4") " union all select d::date, 0 from generate_series(" DAY("$3") ", " DAY(
        "$4") " - 1, interval '1 day') d), sums as (select day, sum(sum(change)) over (order by day)::bigint as people"
              " from changes group by day) select day::timestamp at time zone 'UTC' as at, people::float8 as value,"
              " people from sums where day >= " DAY("$3") " and people > 0 order by day limit 3000");

sn_status store_active(struct db_tx *tx, bool members, int64_t days, int64_t from_ms, int64_t to_ms, size_t *n,
                       AnalyticsRows__Point ***points)
{
        return db_list(tx, &SELECT_ACTIVE,
                       DB_BINDS(bind_bool(members), bind_i64(days), bind_time_ms(from_ms), bind_time_ms(to_ms)), n,
                       points);
}

/* Both are told, since together they are all members of the day. */
DB_STATEMENT(
    SELECT_NEWCOMERS, "analytics_service", &analytics_rows__point__message,
    "with range as (select ($2::timestamptz at time zone 'UTC')::date as first, ($3::timestamptz at time zone"
    " 'UTC')::date as after), all_days as (select day, sum(change) over (order by day)::bigint as everybody"
    " from active_changes where member and days = 1 and day < (select after from range)),"
    " new as (select day, people from new_members where day >= (select first from range)"
    " and day < (select after from range)), days as (select day, everybody, case when $1 then coalesce(people, 0)"
    " else everybody - coalesce(people, 0) end as asked from all_days left join new using (day)"
    " where day >= (select first from range)) select day::timestamp at time zone 'UTC' as at,"
    " asked::float8 as value, asked as people, everybody - asked as others from days where asked > 0"
    " order by day limit 3000");

sn_status store_newcomers(struct db_tx *tx, bool first, int64_t from_ms, int64_t to_ms, size_t *n,
                          AnalyticsRows__Point ***points)
{
        return db_list(tx, &SELECT_NEWCOMERS, DB_BINDS(bind_bool(first), bind_time_ms(from_ms), bind_time_ms(to_ms)), n,
                       points);
}

/* Whole minutes: a median of few is the time of one of them. */
DB_STATEMENT(SELECT_FIRST_NOTES, "analytics_service", &analytics_rows__point__message,
             "select day::timestamp at time zone 'UTC' as at, round(percentile_cont(0.5) within group (order by after)"
             " / 60) * 60 as value, count(*) as people from (select (first_at at time zone 'UTC')::date as day,"
             " extract(epoch from at - first_at)::float8 as after from first_notes where first_at >= $1"
             " and first_at < $2) t group by day order by day limit 3000");

sn_status store_first_notes(struct db_tx *tx, int64_t from_ms, int64_t to_ms, size_t *n, AnalyticsRows__Point ***points)
{
        return db_list(tx, &SELECT_FIRST_NOTES, DB_BINDS(bind_time_ms(from_ms), bind_time_ms(to_ms)), n, points);
}

/* ---- Deliveries ---- */

DB_STATEMENT(DELIVERIES_KNOWN, "analytics_service", NULL,
             "select coalesce((extract(epoch from date_trunc('day', max(bucket) - interval '1 hour', 'UTC')) *"
             " 1000)::bigint, 0) as ms from business_metrics where name = 'deliveries' and grain = 'hour'");

sn_status store_delivery_counts_known(struct db_tx *tx, int64_t *from_ms)
{
        struct db_rows *rows = NULL;

        TRY(db_rows(tx, &DELIVERIES_KNOWN, DB_NO_BINDS, &rows));
        *from_ms = db_i64(rows, 0, "ms");
        return SN_OK;
}

DB_STATEMENT(UPSERT_DELIVERIES, "analytics_service", NULL,
             "insert into business_metrics as m (name, grain, bucket, value, people) select 'deliveries', grain,"
             " to_timestamp(ms / 1000.0), value, people from unnest($1::text[], $2::bigint[], $3::bigint[],"
             " $4::bigint[]) c (grain, ms, value, people) order by grain, ms on conflict (name, grain, bucket) do"
             " update set value = greatest(m.value, excluded.value), people = greatest(m.people, excluded.people)"
             " where (m.value, m.people) is distinct from"
             " (greatest(m.value, excluded.value), greatest(m.people, excluded.people))");

sn_status store_delivery_counts(struct db_tx *tx, Notification__DeliveryCount *const *counts, size_t n)
{
        struct arena *arena = db_arena(tx);
        char **grains = ARENA_ARRAY(arena, char *, n + 1);
        int64_t *numbers = ARENA_ARRAY(arena, int64_t, 3 * n + 1);

        for (size_t i = 0; i < n; i++) {
                grains[i] = counts[i]->whole_day ? "day" : "hour";
                numbers[i] = counts[i]->at->seconds * 1000;
                numbers[n + i] = counts[i]->deliveries;
                numbers[2 * n + i] = counts[i]->people;
        }
        return db_exec(tx, &UPSERT_DELIVERIES,
                       DB_BINDS(bind_texts(grains, n), bind_i64s(numbers, n), bind_i64s(numbers + n, n),
                                bind_i64s(numbers + 2 * n, n)),
                       NULL);
}
