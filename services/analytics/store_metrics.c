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

#define DAY(parameter) "(" parameter "::timestamptz at time zone 'UTC')::date"

/* A person counts from a visit until it is too long ago, or until their next visit: so each visit adds one and later
 * removes one, and the running sum is the number of people. */
DB_STATEMENT(
    SELECT_ACTIVE, "analytics_service", &analytics_rows__point__message,
    "with visits as (select day, lead(day) over (partition by visitor order by day) as next from user_sessions"
    " where member = $1 and day > " DAY("$3") " - $2::integer and day < " DAY(
        "$4") "),"
              " changes as (select day, count(*) as change from visits group by 1"
              " union all select least(day + $2::integer, next), -count(*) from visits group by 1),"
              " days as (select day, sum(sum(change)) over (order by day)::bigint as people from (select day, change"
              " from changes union all select d::date, 0 from generate_series(" DAY("$3") ", " DAY(
                  "$4") " - 1,"
                        " interval '1 day') d) c group by day)"
                        " select day::timestamp at time zone 'UTC' as at, people::float8 as value, people from days"
                        " where day >= " DAY("$3") " and day < " DAY("$4") " and people > 0 order by 1 limit 3000");
/* Of one day each visitor has one row. */
DB_STATEMENT(SELECT_ACTIVE_ON_DAY, "analytics_service", &analytics_rows__point__message,
             "select day::timestamp at time zone 'UTC' as at, count(*)::float8 as value, count(*) as people"
             " from user_sessions where member = $1 and day >= " DAY("$2") " and day < " DAY(
                 "$3") " group by day order by day limit 3000");

sn_status store_active(struct db_tx *tx, bool members, int64_t days, int64_t from_ms, int64_t to_ms, size_t *n,
                       AnalyticsRows__Point ***points)
{
        if (days == 1) {
                return db_list(tx, &SELECT_ACTIVE_ON_DAY,
                               DB_BINDS(bind_bool(members), bind_time_ms(from_ms), bind_time_ms(to_ms)), n, points);
        }
        return db_list(tx, &SELECT_ACTIVE,
                       DB_BINDS(bind_bool(members), bind_i64(days), bind_time_ms(from_ms), bind_time_ms(to_ms)), n,
                       points);
}

/* Both are counted, since together they are all members of the day. */
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
