/* Owns the SQL of metrics. */
#include "services/analytics/store.h"

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

/* Each visit counts on its own day and the days after it, up to the last of them. */
DB_STATEMENT(SELECT_ACTIVE, "analytics_service", &analytics_rows__point__message,
             "select (s.day + d)::timestamp at time zone 'UTC' as at, count(distinct s.visitor)::float8 as value,"
             " count(distinct s.visitor) as people from user_sessions s, generate_series(0, $2::integer - 1) d"
             " where s.member = $1 and s.day > ($3::timestamptz at time zone 'UTC')::date - $2::integer"
             " and s.day < ($4::timestamptz at time zone 'UTC')::date"
             " and s.day + d >= ($3::timestamptz at time zone 'UTC')::date and s.day + d < ($4::timestamptz at time "
             "zone 'UTC')::date"
             " group by s.day + d order by 1 limit 3000");

sn_status store_active(struct db_tx *tx, bool members, int64_t days, int64_t from_ms, int64_t to_ms, size_t *n,
                       AnalyticsRows__Point ***points)
{
        return db_list(tx, &SELECT_ACTIVE,
                       DB_BINDS(bind_bool(members), bind_i64(days), bind_time_ms(from_ms), bind_time_ms(to_ms)), n,
                       points);
}

/* Both are counted, for together they are all of the day. */
DB_STATEMENT(
    SELECT_NEWCOMERS, "analytics_service", &analytics_rows__point__message,
    "with days as (select s.day, count(*) filter (where (p.first_day = s.day) = $1) as asked, count(*) as everybody"
    " from user_sessions s join analytics_people p on p.visitor = s.visitor"
    " where s.member and s.day >= ($2::timestamptz at time zone 'UTC')::date"
    " and s.day < ($3::timestamptz at time zone 'UTC')::date group by s.day)"
    " select day::timestamp at time zone 'UTC' as at, asked::float8 as value, asked as people,"
    " everybody - asked as others from days where asked > 0 order by day limit 3000");

sn_status store_newcomers(struct db_tx *tx, bool first, int64_t from_ms, int64_t to_ms, size_t *n,
                          AnalyticsRows__Point ***points)
{
        return db_list(tx, &SELECT_NEWCOMERS, DB_BINDS(bind_bool(first), bind_time_ms(from_ms), bind_time_ms(to_ms)), n,
                       points);
}
