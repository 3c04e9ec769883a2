/* Owns the SQL of funnels, paths, cohorts and breakdowns. */
#include "services/analytics/store_explore.h"

#define DAY(parameter) "(" parameter "::timestamptz at time zone 'UTC')::date"

#define WINDOW     "$4::bigint * interval '1 hour'"
#define STEP(n)    "name = ($1::text[])[" n "] and at >= $2::timestamptz and visitor is not null"
#define EVENTS(n)  "select visitor, at from user_events where " STEP(n) " and at < $3::timestamptz + " WINDOW
#define MATCH      "e.visitor = f.visitor and e.at > f.at and e.at <= f.since + " WINDOW
#define EARLIEST   "select f.visitor, f.since, min(e.at) as at"
#define DOES(n, m) EARLIEST " from f" m " f join e" n " e on " MATCH " group by 1, 2"
/* Of those who did step m: who does step n after it, and when first. The events of a step are read once, in the order
 * of time in which they lie on the disk, and not person by person. */
#define NEXT(n, m) ", e" n " as materialized (" EVENTS(n) "), f" n " as materialized (" DOES(n, m) ")"
#define STEPS_2_5  NEXT("2", "1") NEXT("3", "2") NEXT("4", "3") NEXT("5", "4")
#define STEPS_6_8  NEXT("6", "5") NEXT("7", "6") NEXT("8", "7")
#define COUNT(n)   "(select count(*) from f" n ")"
#define COUNTS_1_4 COUNT("1") ", " COUNT("2") ", " COUNT("3") ", " COUNT("4")
#define COUNTS_5_8 COUNT("5") ", " COUNT("6") ", " COUNT("7") ", " COUNT("8")

/* A step that there is not (null) has no events. */
DB_STATEMENT(SELECT_FUNNEL, "analytics_service", NULL,
             "with f1 as materialized (select visitor, min(at) as since, min(at) as at from user_events"
             " where " STEP("1") " and at < $3 group by visitor)" STEPS_2_5 STEPS_6_8
                                 " select people from unnest(array[" COUNTS_1_4 ", " COUNTS_5_8
                                 "]) with ordinality s (people, step)"
                                 " order by step");

sn_status store_funnel(struct db_tx *tx, char *const *steps, size_t n, struct days days, int64_t hours, int64_t *people)
{
        struct db_rows *rows = NULL;

        TRY(db_rows(
            tx, &SELECT_FUNNEL,
            DB_BINDS(bind_texts(steps, n), bind_time_ms(days.from_ms), bind_time_ms(days.to_ms), bind_i64(hours)),
            &rows));
        for (size_t i = 0; i < db_rows_count(rows) && i < n; i++) {
                people[i] = db_i64(rows, i, "people");
        }
        return SN_OK;
}

DB_STATEMENT(SELECT_PATHS, "analytics_service", &analytics_explore__path_edge__message,
             "with steps as (select visitor, coalesce(properties->>'path', '') as page, lead(properties->>'path')"
             " over (partition by visitor, (at at time zone 'UTC')::date order by at, id) as next from user_events"
             " where name = 'page_view' and at >= $1::timestamptz and at < $2::timestamptz and visitor is not null)"
             " select page, next, count(distinct visitor) / $3::bigint * $3 as people from steps where next is not null"
             " and page <> next group by 1, 2 having count(distinct visitor) >= $3 order by 3 desc, 1, 2 limit 50");

sn_status store_paths(struct db_tx *tx, struct days days, int64_t min, size_t *n, AnalyticsExplore__PathEdge ***out)
{
        return db_list(tx, &SELECT_PATHS, DB_BINDS(bind_time_ms(days.from_ms), bind_time_ms(days.to_ms), bind_i64(min)),
                       n, out);
}

DB_STATEMENT(
    SELECT_BREAKDOWN, "analytics_service", &analytics_explore__breakdown_item__message,
    "select coalesce(properties->>$2, '') as value, count(distinct visitor) / $5::bigint * $5 as people"
    " from user_events where name = $1 and at >= $3::timestamptz and at < $4::timestamptz and visitor is not null"
    " group by 1 having count(distinct visitor) >= $5 order by 2 desc, 1 limit 50");

sn_status store_breakdown(struct db_tx *tx, const char *name, const char *property, struct days days, int64_t min,
                          size_t *n, AnalyticsExplore__BreakdownItem ***out)
{
        return db_list(tx, &SELECT_BREAKDOWN,
                       DB_BINDS(bind_text(name), bind_text(property), bind_time_ms(days.from_ms),
                                bind_time_ms(days.to_ms), bind_i64(min)),
                       n, out);
}

/* A person is there in a period when one of their visits in it is the first in it: when the one before is more days ago
 * than the period has at that visit. */
DB_STATEMENT(
    SELECT_COHORTS, "analytics_service", &analytics_rows__cohort_cell__message,
    "with asked as (select " DAY("$1") " as first, " DAY(
        "$2") " as after), visits as (select gap, visits,"
              " (first_day - first) / $3::integer * $3::integer as since, day - first as at from cohort_visits, asked"
              " where first_day >= first and first_day < after and day < first_day + 13 * $3::integer)"
              " select (first + since)::timestamp at time zone 'UTC' as at, (at - since) / $3::integer as period,"
              " sum(visits)::bigint as people from visits, asked where at >= since and at < since + 13 * $3::integer"
              " and gap > (at - since) % $3::integer group by 1, 2 having sum(visits) > 0 order by 1, 2 limit 1300");

sn_status store_cohorts(struct db_tx *tx, struct days days, int64_t period_days, size_t *n,
                        AnalyticsRows__CohortCell ***out)
{
        return db_list(tx, &SELECT_COHORTS,
                       DB_BINDS(bind_time_ms(days.from_ms), bind_time_ms(days.to_ms), bind_i64(period_days)), n, out);
}
