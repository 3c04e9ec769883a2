/* Active members: the changes from day to day that are kept of them are what all visits add up to, in whatever order
 * these are stored, and their sums are what the definition says. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <cmocka.h>
#include "base/clock.h"
#include "services/analytics/store.h"
#include "services/test_analytics_support.h"
#include "services/test_support.h"

#define DATABASE TEST_ANALYTICS
#define DAY_MS   INT64_C(86400000)

enum { PEOPLE = 16, MEMBERS = 10, DAYS = 31, BATCH_MAX = 8, ROUNDS = 60 };

static char people[PEOPLE][UUID_SIZE];

/* The same sequence at each run; below bound (Knuth's MMIX). */
static size_t draw(size_t bound)
{
        static uint64_t state = 20261128;

        state = state * UINT64_C(6364136223846793005) + UINT64_C(1442695040888963407);
        return (size_t)(state >> 33) % bound;
}

static void make_visit(struct rpc_call *c, AnalyticsRows__TakenEvent *out)
{
        size_t who = draw(PEOPLE);

        analytics_rows__taken_event__init(out);
        out->id = uuid_new_in(c->arena);
        out->name = (char *)(draw(4) == 0 ? "note.deleted" : "page_view"); /* who undoes something is no new member */
        out->at_ms = c->now_ms - (int64_t)draw(DAYS) * DAY_MS;
        *(who < MEMBERS ? &out->user_id : &out->visitor) = people[who];
}

/* Days in any order, several of one person at a time; one batch in five ends before its COMMIT. */
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
        assert_int_equal(store_events(tx, list, n, NULL), SN_OK);
        if (draw(5) > 0) {
                assert_int_equal(db_commit(c, NULL, &tx), SN_OK);
        }
}

/* By what each visit adds and takes away, all at once. */
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

static void changes_are_what_all_visits_add_up_to(void **state)
{
        for (int i = 0; i < PEOPLE; i++) {
                (void)uuid_new(people[i]);
        }
        for (int round = 0; round < ROUNDS; round++) {
                store_some();
                assert_string_equal(test_admin(DATABASE, DIFFER_ACTIVE), "0");
                assert_string_equal(test_admin(DATABASE, DIFFER_NEW), "0");
        }
        /* The comparison can tell. */
        (void)test_admin(DATABASE, "update active_changes set change = change + 1 where days = 28; select 1");
        assert_string_not_equal(test_admin(DATABASE, DIFFER_ACTIVE), "0");
        (void)test_admin(DATABASE, "update active_changes set change = change - 1 where days = 28; select 1");
}

/* By the definition, one day at a time. */
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
                                         store_active(tx, members, windows[w], today_ms - 40 * DAY_MS,
                                                      today_ms + DAY_MS, &n, &points)),
                                 SN_OK);
                assert_true(n >= 20);
                for (size_t i = 0; i < n; i++) {
                        assert_int_equal(points[i]->people,
                                         strtoll(count_active(members, points[i]->at->seconds, windows[w]), NULL, 10));
                }
        }
}

static void active_people_are_those_who_were_there_in_the_days_before(void **state)
{
        compare_with_definition(true);
        compare_with_definition(false);
}

/* Together they are all members of the day. */
static void new_and_returning_members_are_told_apart_by_their_first_day(void **state)
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
                    DB_READ(c, tx, store_newcomers(tx, first, today_ms - 40 * DAY_MS, today_ms + DAY_MS, &n, &points)),
                    SN_OK);
                for (size_t i = 0; i < n; i++) {
                        sums[first] += points[i]->people;
                }
        }
        (void)snprintf(told, sizeof(told), "%lld %lld", (long long)sums[1], (long long)sums[0]);
        assert_string_equal(told, counted);
        assert_int_equal(sums[1], MEMBERS);
}

int main(void)
{
        const struct CMUnitTest tests[] = {
            cmocka_unit_test(changes_are_what_all_visits_add_up_to),
            cmocka_unit_test(active_people_are_those_who_were_there_in_the_days_before),
            cmocka_unit_test(new_and_returning_members_are_told_apart_by_their_first_day),
        };

        return cmocka_run_group_tests_name("active", tests, analytics_setup, analytics_teardown);
}
