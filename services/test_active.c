/* Active members: the stored day-to-day changes equal what all visits add up to, in whatever order they are stored, and
 * their sums match the definition. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <cmocka.h>
#include "base/clock.h"
#include "google/protobuf/timestamp.pb-c.h"
#include "services/analytics/analytics.h"
#include "services/analytics/exports.h"
#include "services/analytics/store.h"
#include "services/analytics/store_explore.h"
#include "services/test_analytics_support.h"
#include "services/test_support.h"

#define DATABASE TEST_ANALYTICS
#define DAY_MS   INT64_C(86400000)

enum { PEOPLE = 16, MEMBERS = 10, DAYS = 50, BATCH_MAX = 8, ROUNDS = 60 };

static char people[PEOPLE][UUID_SIZE];

/* The same sequence in each run, below bound (Knuth's MMIX). */
static size_t draw(size_t bound)
{
        static uint64_t state = 20261128;

        state = state * UINT64_C(6364136223846793005) + UINT64_C(1442695040888963407);
        return (size_t)(state >> 33) % bound;
}

static void make_visit(struct rpc_call *c, AnalyticsRows__TakenEvent *out)
{
        static char *const names[] = {"note.deleted", "note.created", "page_view",
                                      "page_view"}; /* undoing something does not make a new member */
        size_t who = draw(PEOPLE);

        analytics_rows__taken_event__init(out);
        out->id = uuid_new_in(c->arena);
        out->name = names[draw(4)];
        out->at_ms = c->now_ms - (int64_t)draw(DAYS) * DAY_MS;
        *(who < MEMBERS ? &out->user_id : &out->visitor) = people[who];
}

/* Days in random order, several per person at a time; one batch in five is rolled back. */
static void store_some(void)
{
        CLEANUP(rpc_call_free_p) struct rpc_call *c = analytics_call();
        CLEANUP(db_end) struct db_tx *tx = NULL;
        AnalyticsRows__TakenEvent events[BATCH_MAX], *list[BATCH_MAX];
        size_t n = 1 + draw(BATCH_MAX);

        for (size_t i = 0; i < n; i++) {
                make_visit(c, &events[i]);
                list[i] = &events[i];
        }
        assert_int_equal(db_begin(c, &tx), SN_OK);
        assert_int_equal(store_events(tx, list, n, TEST_ANALYTICS_MIN), SN_OK);
        if (draw(5) > 0) {
                assert_int_equal(db_commit(c, NULL, &tx), SN_OK);
        }
}

/* Computes the changes of all visits at once. */
#define DIFFER_ACTIVE                                                                                                  \
        "with visits as (select member, n as days, day, lead(day) over (partition by visitor, n order by day) as next" \
        " from user_sessions, unnest(array[1, 7, 28]) n where member or n = 1), again as (select member, days, day,"   \
        " sum(change) as change from (select member, days, day, 1 as change from visits union all"                     \
        " select member, days, least(day + days, next), -1 from visits) c group by 1, 2, 3)"                           \
        " select count(*) from again a full join active_changes c using (member, days, day)"                           \
        " where coalesce(a.change, 0) <> coalesce(c.change, 0)"

#define DIFFER_NEW                                                                                                     \
        "with again as (select s.day, count(*) as people from user_sessions s join analytics_people p"                 \
        " on p.visitor = s.visitor and p.first_day = s.day where s.member group by 1) select count(*) from again a"    \
        " full join new_members n using (day) where coalesce(a.people, 0) <> coalesce(n.people, 0)"

#define DIFFER_COHORTS                                                                                                 \
        "with again as (select first_day, day, gap, count(*) as visits from (select p.first_day, s.day,"               \
        " least(coalesce(s.day - lag(s.day) over (partition by s.visitor order by s.day), 31), 31) as gap"             \
        " from user_sessions s join analytics_people p on p.visitor = s.visitor) v group by 1, 2, 3)"                  \
        " select count(*) from again a full join cohort_visits c using (first_day, day, gap)"                          \
        " where coalesce(a.visits, 0) <> coalesce(c.visits, 0)"

/* The first day is that of the batch stored first; the time is the first of that day. */
#define FIRST                                                                                                          \
        "with kept as (select visitor, at, (at at time zone 'UTC')::date as day, xmin::text::bigint as batch from"     \
        " user_events where name <> 'note.deleted'), days as (select distinct on (visitor) visitor, day from kept"     \
        " order by visitor, batch, day), firsts as (select visitor, day, min(at) as at from kept join days"            \
        " using (visitor, day) group by 1, 2)"

#define DIFFER_FIRST                                                                                                   \
        FIRST " select count(*) from analytics_people p left join firsts f using (visitor) where f.at is distinct"     \
              " from p.first_at or f.day is distinct from nullif(p.first_day, 'infinity')"

#define DIFFER_NOTES                                                                                                   \
        "select count(*) from (select visitor, min(at) as at from user_events where name = 'note.created' and member"  \
        " group by 1) a full join first_notes t using (visitor) left join analytics_people p using (visitor)"          \
        " where (a.at, p.first_at) is distinct from (t.at, t.first_at)"

/* Half of the members are followed, and undo something, before they are active themselves. */
static void create_people(void)
{
        CLEANUP(rpc_call_free_p) struct rpc_call *c = analytics_call();
        char *followed[MEMBERS / 2];

        for (int i = 0; i < PEOPLE; i++) {
                (void)uuid_new(people[i]);
        }
        for (int i = 0; i < MEMBERS / 2; i++) {
                followed[i] = people[i];
        }
        assert_int_equal(DB_WRITE(c, tx, store_add_people(tx, followed, MEMBERS / 2)), SN_OK);
        for (int i = 0; i < MEMBERS / 2; i++) {
                analytics_store(&(struct about){.name = "note.deleted", .user_id = followed[i]});
        }
}

static void stored_changes_equal_the_sum_of_all_visits(void **state)
{
        create_people();
        (void)test_admin(DATABASE, "select analytics_make_months(current_date - 90, 4)");
        for (int round = 0; round < ROUNDS; round++) {
                store_some();
                assert_string_equal(test_admin(DATABASE, DIFFER_ACTIVE), "0");
                assert_string_equal(test_admin(DATABASE, DIFFER_NEW), "0");
                assert_string_equal(test_admin(DATABASE, DIFFER_COHORTS), "0");
                assert_string_equal(test_admin(DATABASE, DIFFER_FIRST), "0");
                assert_string_equal(test_admin(DATABASE, DIFFER_NOTES), "0");
        }
        /* The comparison detects a difference. */
        (void)test_admin(DATABASE, "update active_changes set change = change + 1 where days = 28; select 1");
        assert_string_not_equal(test_admin(DATABASE, DIFFER_ACTIVE), "0");
        (void)test_admin(DATABASE, "update active_changes set change = change - 1 where days = 28; select 1");
}

/* From the definition, one day at a time. */
static const char *count_active(bool members, int64_t at_s, int64_t days)
{
        char sql[400];

        (void)snprintf(sql, sizeof(sql),
                       "select count(distinct visitor) from user_sessions, (select (to_timestamp(%lld) at time zone"
                       " 'UTC')::date as d) x where member = %s and day <= d and day > d - %d",
                       (long long)at_s, members ? "true" : "false", (int)days);
        return test_admin(DATABASE, sql);
}

static void compare_with_definition(bool members)
{
        CLEANUP(rpc_call_free_p) struct rpc_call *c = analytics_call();
        int64_t today_ms = clock_wall_ms() / DAY_MS * DAY_MS;
        static const int64_t windows[] = {1, 7, 28};

        for (size_t w = 0; w < (members ? 3 : 1); w++) {
                AnalyticsRows__Point **points = NULL;
                size_t n = 0;

                assert_int_equal(DB_READ(c, tx,
                                         store_active(tx, members, windows[w], today_ms - 60 * DAY_MS,
                                                      today_ms + DAY_MS, &n, &points)),
                                 SN_OK);
                assert_true(n >= 20);
                for (size_t i = 0; i < n; i++) {
                        assert_int_equal(points[i]->people,
                                         strtoll(count_active(members, points[i]->at->seconds, windows[w]), NULL, 10));
                }
        }
}

static void active_people_are_those_with_visits_in_the_period(void **state)
{
        compare_with_definition(true);
        compare_with_definition(false);
}

/* Together they are all active members of the day. */
static void new_and_returning_members_differ_by_their_first_day(void **state)
{
        CLEANUP(rpc_call_free_p) struct rpc_call *c = analytics_call();
        int64_t today_ms = clock_wall_ms() / DAY_MS * DAY_MS;
        const char *counted =
            test_admin(DATABASE, "select count(*) filter (where first_day = day) || ' ' || count(*) filter (where"
                                 " first_day <> day) from user_sessions join analytics_people using (visitor)");
        char told[40];
        int64_t sums[2] = {0};

        for (int first = 0; first < 2; first++) {
                AnalyticsRows__Point **points = NULL;
                size_t n = 0;

                assert_int_equal(
                    DB_READ(c, tx, store_newcomers(tx, first, today_ms - 60 * DAY_MS, today_ms + DAY_MS, &n, &points)),
                    SN_OK);
                for (size_t i = 0; i < n; i++) {
                        sums[first] += points[i]->people;
                }
        }
        (void)snprintf(told, sizeof(told), "%lld %lld", (long long)sums[1], (long long)sums[0]);
        assert_string_equal(told, counted);
        assert_int_equal(sums[1], MEMBERS);
}

/* From the definition: distinct people of a cohort in a period. */
static const char *count_cohort(int64_t at_s, int64_t days, int64_t period)
{
        char sql[600];

        (void)snprintf(
            sql, sizeof(sql),
            "select count(distinct s.visitor) from (select (to_timestamp(%lld) at time zone 'UTC')::date as d)"
            " x, analytics_people p join user_sessions s on s.visitor = p.visitor where p.first_day >= d and"
            " p.first_day < d + %d and s.day >= d + %d and s.day < d + %d",
            (long long)at_s, (int)days, (int)(period * days), (int)((period + 1) * days));
        return test_admin(DATABASE, sql);
}

static size_t compare_cohorts(int64_t from_ms, int64_t to_ms, int64_t period_days)
{
        CLEANUP(rpc_call_free_p) struct rpc_call *c = analytics_call();
        AnalyticsRows__CohortCell **cells = NULL;
        struct days days = {from_ms, to_ms};
        size_t n = 0;

        assert_int_equal(DB_READ(c, tx, store_cohorts(tx, days, period_days, &n, &cells)), SN_OK);
        for (size_t i = 0; i < n; i++) {
                assert_int_equal(cells[i]->people,
                                 strtoll(count_cohort(cells[i]->at->seconds, period_days, cells[i]->period), NULL, 10));
        }
        return n;
}

static void cohorts_count_people_active_in_each_period(void **state)
{
        static const int64_t periods[] = {1, 2, 7, 30, 31};
        int64_t today_ms = clock_wall_ms() / DAY_MS * DAY_MS;
        size_t n = 0;

        for (size_t p = 0; p < sizeof(periods) / sizeof(periods[0]); p++) {
                int64_t days = (60 / periods[p] + 1) * periods[p]; /* whole periods */

                n += compare_cohorts(today_ms - (days - 1) * DAY_MS, today_ms + DAY_MS, periods[p]);
        }
        assert_true(n >= 20);
}

/* Seven and 28 days after the last visit nobody would be left: no day before that has begun. */
static void no_metric_goes_beyond_today(void **state)
{
        CLEANUP(rpc_call_free_p) struct rpc_call *c = analytics_call();
        char from[CLOCK_RFC3339_SIZE], to[CLOCK_RFC3339_SIZE];
        int64_t today_ms = clock_wall_ms() / DAY_MS * DAY_MS;
        size_t n = 0;

        (void)clock_format_ms(today_ms - 10 * DAY_MS, from);
        (void)clock_format_ms(today_ms + 40 * DAY_MS, to);
        analytics_start();
        for (size_t i = 0; metric_of_people(i) != NULL; i++) {
                Analytics__GetMetricRequest in = ANALYTICS__GET_METRIC_REQUEST__INIT;
                Analytics__Metric metric = ANALYTICS__METRIC__INIT;

                in.name = (char *)metric_of_people(i);
                in.from = from;
                in.to = to;
                assert_int_equal(analytics_handle_get_metric(c, &in, &metric), SN_OK);
                for (size_t k = 0; k < metric.n_points; k++) {
                        assert_true(metric.points[k]->at->seconds * 1000 <= today_ms);
                }
                n += metric.n_points;
        }
        analytics_stop();
        assert_true(n > 20);
}

int main(void)
{
        const struct CMUnitTest tests[] = {
            cmocka_unit_test(stored_changes_equal_the_sum_of_all_visits),
            cmocka_unit_test(active_people_are_those_with_visits_in_the_period),
            cmocka_unit_test(cohorts_count_people_active_in_each_period),
            cmocka_unit_test(new_and_returning_members_differ_by_their_first_day),
            cmocka_unit_test(no_metric_goes_beyond_today),
        };

        return cmocka_run_group_tests_name("active", tests, analytics_setup, analytics_teardown);
}
