/* Owns the SQL of funnels, paths, cohorts and breakdowns. */
#include "services/analytics/store_explore.h"

#define DAY(parameter) "(" parameter "::timestamptz at time zone 'UTC')::date"

/* since<n> of an event: the latest start of a chain whose step n is this event. Another event can only add chains:
 * whoever has done all steps remains counted, so that answers differ by enough people. The events are sorted once, by
 * person and time, and each step reads them once in this order. */
#define WITHIN    "$4::bigint * interval '1 hour'"
#define STEP(n)   "name = ($1::text[])[" n "]"
#define LATEST(m) "max(since" m ") over before"
#define NEXT(n, m)                                                                                                     \
        ", s" n " as (select s.*, case when " STEP(n) " and " LATEST(m) " >= at - " WITHIN " then " LATEST(            \
            m) " end as since" n " from s" m                                                                           \
               " s window before as (partition by visitor order by at groups between unbounded"                        \
               " preceding and 1 preceding))"
#define DID(n) "count(*) filter (where did" n ")"
#define ANY(n) "bool_or(since" n " is not null) as did" n
#define FIRST_STEP                                                                                                     \
        "with s1 as (select visitor, at, name, case when " STEP(                                                       \
            "1") " and at < $3::timestamptz then at end as since1"                                                     \
                 " from user_events where name = any($1::text[]) and at >= $2::timestamptz and at < $3::timestamptz "  \
                 "+ " WITHIN " and visitor is not null)"
#define FOUR_STEPS FIRST_STEP NEXT("2", "1") NEXT("3", "2") NEXT("4", "3")
#define ALL_STEPS  FOUR_STEPS NEXT("5", "4") NEXT("6", "5") NEXT("7", "6") NEXT("8", "7")
#define DID_1_4    DID("1") ", " DID("2") ", " DID("3") ", " DID("4")
#define ANY_1_4    ANY("1") ", " ANY("2") ", " ANY("3") ", " ANY("4")

/* A missing step (null) has no events. */
DB_STATEMENT(SELECT_SHORT_FUNNEL, "analytics_service", NULL,
             FOUR_STEPS
             ", each as (select " ANY_1_4 " from s4 group by visitor), sums as (select array[" DID_1_4
             "] as counts from each) select people from sums, unnest(counts) with ordinality s (people, step)"
             " order by step");
DB_STATEMENT(SELECT_FUNNEL, "analytics_service", NULL,
             ALL_STEPS ", each as (select " ANY_1_4 ", " ANY("5") ", " ANY("6") ", " ANY("7") ", " ANY(
                 "8") " from s8 group by visitor), sums as (select array[" DID_1_4
                      ", " DID("5") ", " DID("6") ", " DID("7") ", " DID(
                          "8") "] as counts from each) select people from sums, unnest(counts) with ordinality s"
                               " (people, step) order by step");

sn_status store_funnel(struct db_tx *tx, char *const *steps, size_t n, struct days days, int64_t hours, int64_t *people)
{
        struct db_rows *rows = NULL;

        TRY(db_rows(
            tx, n <= 4 ? &SELECT_SHORT_FUNNEL : &SELECT_FUNNEL,
            DB_BINDS(bind_texts(steps, n), bind_time_ms(days.from_ms), bind_time_ms(days.to_ms), bind_i64(hours)),
            &rows));
        for (size_t i = 0; i < db_rows_count(rows) && i < n; i++) {
                people[i] = db_i64(rows, i, "people");
        }
        return SN_OK;
}

/* A page view that comes between two others replaces their step by two, so it would take a person out of a number that
 * was already shown. Therefore late ones do not count. */
DB_STATEMENT(SELECT_PATHS, "analytics_service", &analytics_explore__path_edge__message,
             "with steps as (select visitor, coalesce(properties->>'path', '') as page, lead(properties->>'path')"
             " over (partition by visitor, (at at time zone 'UTC')::date order by at, id) as next from user_events"
             " where name = 'page_view' and at >= $1::timestamptz and at < $2::timestamptz and visitor is not null"
             " and created_at < date_trunc('day', at, 'UTC') + interval '1 day' + $4::bigint * interval '1 hour')"
             " select page, next, count(distinct visitor) / $3::bigint * $3 as people from steps where next is not null"
             " and page <> next group by 1, 2 having count(distinct visitor) >= $3 order by 3 desc, 1, 2 limit 50");

sn_status store_paths(struct db_tx *tx, struct days days, int64_t min, size_t *n, AnalyticsExplore__PathEdge ***out)
{
        return db_list(
            tx, &SELECT_PATHS,
            DB_BINDS(bind_time_ms(days.from_ms), bind_time_ms(days.to_ms), bind_i64(min), bind_i64(PATHS_SETTLE_HOURS)),
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

/* A person counts in a period at their first visit in it: the one whose previous visit is more days ago than the period
 * has lasted by then. */
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
