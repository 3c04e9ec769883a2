/* Owns the SQL of metrics. */
#include "services/analytics/store.h"

#include "google/protobuf/timestamp.pb-c.h"

DB_STATEMENT(SELECT_COUNTS, "analytics_service", &analytics_rows__point__message,
             "select bucket as at, published::float8 as value from business_metrics where name = $1 and grain = $2"
             " and bucket >= $3 and bucket < $4 and published > 0 order by bucket limit 3000");

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

DB_STATEMENT(
    SELECT_NEWCOMERS, "analytics_service", &analytics_rows__point__message,
    "with range as (select ($2::timestamptz at time zone 'UTC')::date as first, ($3::timestamptz at time zone"
    " 'UTC')::date as after), all_days as (select day, sum(change) over (order by day)::bigint as everybody"
    " from active_changes where member and days = 1 and day < (select after from range)),"
    " new as (select day, people from new_members where day >= (select first from range)"
    " and day < (select after from range)), days as (select day, everybody, case when $1 then coalesce(people, 0)"
    " else everybody - coalesce(people, 0) end as asked from all_days left join new using (day)"
    " where day >= (select first from range)) select day::timestamp at time zone 'UTC' as at,"
    " asked::float8 as value, asked as people from days where asked > 0 order by day limit 3000");

sn_status store_newcomers(struct db_tx *tx, bool first, int64_t from_ms, int64_t to_ms, size_t *n,
                          AnalyticsRows__Point ***points)
{
        return db_list(tx, &SELECT_NEWCOMERS, DB_BINDS(bind_bool(first), bind_time_ms(from_ms), bind_time_ms(to_ms)), n,
                       points);
}

/* Whole minutes: a median of few is the time of one of them. */
DB_STATEMENT(SELECT_FIRST_NOTES, "analytics_service", &analytics_rows__point__message,
             "select day::timestamp at time zone 'UTC' as at, round(median_s / 60) * 60 as value, people"
             " from first_note_medians where day >= " DAY("$1") " and day < " DAY("$2") " order by day limit 3000");

sn_status store_first_notes(struct db_tx *tx, int64_t from_ms, int64_t to_ms, size_t *n, AnalyticsRows__Point ***points)
{
        return db_list(tx, &SELECT_FIRST_NOTES, DB_BINDS(bind_time_ms(from_ms), bind_time_ms(to_ms)), n, points);
}

/* ---- Deliveries ---- */

DB_STATEMENT(SELECT_COUNTED_DELIVERIES, "analytics_service", NULL,
             "select coalesce((extract(epoch from counted_to) * 1000)::bigint, 0) as ms from counted_deliveries");

sn_status store_deliveries_counted_to(struct db_tx *tx, int64_t *ms)
{
        struct db_rows *rows = NULL;

        TRY(db_rows(tx, &SELECT_COUNTED_DELIVERIES, DB_NO_BINDS, &rows));
        *ms = db_rows_count(rows) > 0 ? db_i64(rows, 0, "ms") : 0;
        return SN_OK;
}

DB_STATEMENT(MOVE_COUNTED_DELIVERIES, "analytics_service", NULL,
             "update counted_deliveries set counted_to = $2 where coalesce(counted_to, 'epoch') = $1");
DB_STATEMENT(PUBLISH_DELIVERIES, "analytics_service", NULL,
             "insert into business_metrics as m (name, grain, bucket, value, people, published)"
             " select 'deliveries', grain, date_trunc(grain, $1::timestamptz, 'UTC'), $2, 0, $2"
             " from (values ('day'), ('hour')) g (grain) where grain = 'day' or $3 on conflict (name, grain, bucket)"
             " do update set value = m.value + excluded.value, published = m.published + excluded.published");

sn_status store_publish_deliveries(struct db_tx *tx, const struct delivery_portion *p)
{
        int64_t n = 0;

        TRY(db_exec(tx, &MOVE_COUNTED_DELIVERIES, DB_BINDS(bind_time_ms(p->from_ms), bind_time_ms(p->to_ms)), &n));
        return n == 0 || p->deliveries == 0
                   ? SN_OK
                   : db_exec(tx, &PUBLISH_DELIVERIES,
                             DB_BINDS(bind_time_ms(p->from_ms), bind_i64(p->deliveries), bind_bool(p->of_one_hour)),
                             NULL);
}
