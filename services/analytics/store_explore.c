/* Owns the SQL of funnels, paths, cohorts and breakdowns. */
#include "services/analytics/store_explore.h"

#define DAY(parameter) "(" parameter "::timestamptz at time zone 'UTC')::date"

/* s<n>: the events of step n that end a chain of all steps up to it, each with the latest start of such a chain.
 * Another event can only add chains: whoever has done all steps remains counted, so that answers differ by enough
 * people. Each step sorts only its own events and the chains that have come this far. A missing step (null) has no
 * events. */
#define WITHIN "$4::bigint * interval '1 hour'"
#define EVENTS_OF_STEP(n, until)                                                                                       \
        " from user_events where name = ($1::text[])[" n "] and at >= $2::timestamptz and at < " until                 \
        " and visitor is not null"
#define FIRST "with s1 as (select visitor, at, at as since" EVENTS_OF_STEP("1", "$3::timestamptz") ")"
#define NEXT(n, before)                                                                                                \
        ", s" n " as (select visitor, at, since from (select visitor, at, is_next, max(since) over (partition by"      \
        " visitor order by at groups between unbounded preceding and 1 preceding) as since from (select visitor, at,"  \
        " since, false as is_next from s" before " union all select visitor, at, null, true" EVENTS_OF_STEP(           \
            n, "$3::timestamptz + " WITHIN) ") e) w where is_next and since >= at - " WITHIN ")"
#define PEOPLE(n) "(select count(*) from (select distinct visitor from s" n ") p)"

#define STEPS                                                                                                          \
        FIRST NEXT("2", "1") NEXT("3", "2") NEXT("4", "3") NEXT("5", "4") NEXT("6", "5") NEXT("7", "6") NEXT("8", "7")
#define PEOPLE_1_4 PEOPLE("1") ", " PEOPLE("2") ", " PEOPLE("3") ", " PEOPLE("4")
#define PEOPLE_5_8 PEOPLE("5") ", " PEOPLE("6") ", " PEOPLE("7") ", " PEOPLE("8")

DB_STATEMENT(SELECT_FUNNEL, "analytics_service", NULL,
             STEPS " select people from unnest(array[" PEOPLE_1_4 ", " PEOPLE_5_8
                   "]) with ordinality s (people, step) order by step");

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
