/* Sketches of days: they match the events, and only change by enough people. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <math.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <cmocka.h>
#include "base/clock.h"
#include "google/protobuf/timestamp.pb-c.h"
#include "services/analytics/analytics.h"
#include "services/analytics/store.h"
#include "services/analytics/store_sketches.h"
#include "services/test_analytics_support.h"
#include "services/test_support.h"

#define DATABASE TEST_ANALYTICS
#define HOUR_MS  INT64_C(3600000)

extern const struct service_job analytics_sketch; /* also in the generated lists */

/* The same sequence in each run, below bound (Knuth's MMIX). */
static size_t draw(size_t bound)
{
        static uint64_t state = 20261127;

        state = state * UINT64_C(6364136223846793005) + UINT64_C(1442695040888963407);
        return (size_t)(state >> 33) % bound;
}

enum { PEOPLE = 3000, DAYS = 3 };

/* Half of each day's people are active on the next day, too. */
static void leave_pages(int64_t first_ms)
{
        CLEANUP(rpc_call_free_p) struct rpc_call *c = analytics_call();
        AnalyticsRows__TakenEvent **events = ARENA_ARRAY(c->arena, AnalyticsRows__TakenEvent *, PEOPLE * DAYS);

        for (int i = 0; i < PEOPLE * DAYS; i++) {
                AnalyticsRows__TakenEvent *event = events[i] = ARENA_NEW(c->arena, AnalyticsRows__TakenEvent);

                analytics_rows__taken_event__init(event);
                event->id = uuid_new_in(c->arena);
                event->name = "page_leave";
                event->at_ms = first_ms + i / PEOPLE * 24 * HOUR_MS + i;
                event->visitor = arena_printf(c->arena, "00000000-0000-4000-8000-%012x",
                                              (unsigned)(i % PEOPLE + i / PEOPLE * PEOPLE / 2));
                event->properties = arena_printf(c->arena, "{\"visible_ms\": %zu}", draw(60000));
        }
        assert_int_equal(DB_WRITE(c, tx, store_events(tx, events, (size_t)PEOPLE * DAYS, TEST_ANALYTICS_MIN)), SN_OK);
}

static void make_sketches(void)
{
        CLEANUP(rpc_call_free_p) struct rpc_call *c = analytics_call();

        analytics_start();
        for (bool more = true; more;) {
                more = false;
                assert_int_equal(analytics_sketch.run(c, &more), SN_OK);
        }
        analytics_stop();
}

static void merge_sketches(int64_t first_ms, int64_t min, struct sketch *out)
{
        CLEANUP(rpc_call_free_p) struct rpc_call *c = analytics_call();
        struct days days = {first_ms, first_ms + (int64_t)DAYS * 24 * HOUR_MS};

        *out = (struct sketch){0};
        assert_int_equal(DB_READ(c, tx, store_merged_sketch(tx, "page_leave", "visible_ms", days, min, out)), SN_OK);
}

static double exact(const char *expression)
{
        char sql[200];

        (void)snprintf(sql, sizeof(sql), "select %s from user_events where name = 'page_leave'", expression);
        return strtod(test_admin(DATABASE, sql), NULL);
}

static void sketches_of_days_match_their_events(void **state)
{
        int64_t first_ms = (clock_wall_ms() / (24 * HOUR_MS) - DAYS) * 24 * HOUR_MS;
        struct sketch *sketch = calloc(1, sizeof(*sketch));

        leave_pages(first_ms);
        make_sketches();
        merge_sketches(first_ms, 1, sketch);
        double people = exact("count(distinct visitor)");
        assert_true(people == PEOPLE * (DAYS + 1) / 2.0);
        assert_true(fabs(hll_count(&sketch->people) - people) < 3 * HLL_STANDARD_ERROR * people);
        assert_true(tdigest_weight(&sketch->numbers) == PEOPLE * DAYS);
        for (int q = 5; q < 100; q += 45) {
                char share[100];

                (void)snprintf(share, sizeof(share), "avg(((properties->>'visible_ms')::float8 < %f)::integer)",
                               tdigest_quantile(&sketch->numbers, q / 100.0));
                assert_true(fabs(exact(share) - q / 100.0) < 0.016);
        }
        merge_sketches(first_ms, PEOPLE + 1, sketch);
        assert_true(hll_count(&sketch->people) == 0);
        free(sketch);
}

/* At least an hour later. */
static void a_late_event_remakes_the_sketch_of_its_day(void **state)
{
        int64_t first_ms = (clock_wall_ms() / (24 * HOUR_MS) - DAYS) * 24 * HOUR_MS;
        struct sketch *sketch = calloc(1, sizeof(*sketch));

        leave_pages(first_ms);
        make_sketches();
        merge_sketches(first_ms, 1, sketch);
        assert_true(tdigest_weight(&sketch->numbers) == PEOPLE * DAYS);
        (void)test_admin(DATABASE, "alter table analytics_sketches disable trigger user; update analytics_sketches set"
                                   " updated_at = now() - interval '2 hours', people = '', n_people = 1; select 1");
        make_sketches();
        merge_sketches(first_ms, PEOPLE, sketch);
        assert_int_equal(sketch->n_people, PEOPLE * DAYS);
        assert_string_equal(test_admin(DATABASE, "select count(*) from analytics_sketches where events = 6000 and day <"
                                                 " (now() at time zone 'UTC')::date and name = 'page_leave'"),
                            "6");
        free(sketch);
}

/* n people leave a page yesterday, or the first n of those who left one before. */
static void leave_late(int people, bool known)
{
        CLEANUP(rpc_call_free_p) struct rpc_call *c = analytics_call();
        AnalyticsRows__TakenEvent **events = ARENA_ARRAY(c->arena, AnalyticsRows__TakenEvent *, people);
        int64_t day_ms = (clock_wall_ms() / (24 * HOUR_MS) - 1) * 24 * HOUR_MS;

        for (int i = 0; i < people; i++) {
                AnalyticsRows__TakenEvent *event = events[i] = ARENA_NEW(c->arena, AnalyticsRows__TakenEvent);

                analytics_rows__taken_event__init(event);
                event->id = uuid_new_in(c->arena);
                event->name = "late";
                event->at_ms = day_ms + 12 * HOUR_MS;
                event->visitor = known ? arena_printf(c->arena, "00000000-0000-4000-8000-%012d", i) : event->id;
        }
        assert_int_equal(DB_WRITE(c, tx, store_events(tx, events, (size_t)people, TEST_ANALYTICS_MIN)), SN_OK);
}

/* The number of people in the sketch an hour later. */
static const char *sketched_late(void)
{
        (void)test_admin(DATABASE, "alter table analytics_sketches disable trigger user; update analytics_sketches set"
                                   " updated_at = now() - interval '2 hours'; alter table analytics_sketches enable"
                                   " trigger user; select 1");
        make_sketches();
        return test_admin(DATABASE, "select n_people from analytics_sketches where name = 'late'");
}

/* Late events count for all people who have them or for none, so that no single person can be recognized by the change.
 */
static void late_events_of_few_people_do_not_change_a_sketch(void **state)
{
        leave_late(8, true);
        make_sketches();
        assert_string_equal(sketched_late(), "8");
        leave_late(1, false);
        assert_string_equal(sketched_late(), "8");
        leave_late(6, true); /* enough people with the new one, who could then be recognized */
        assert_string_equal(sketched_late(), "8");
        leave_late(3, false);
        assert_string_equal(sketched_late(), "8");
        leave_late(1, false);
        assert_string_equal(sketched_late(), "13");
}

/* ---- Published numbers ---- */

enum { VIEWS_PER_DAY = 20, VIEW_DAYS = 10 };

/* The first one of each day is always the same person with the longest time; the others differ each day. */
static void view_notes(int64_t first_ms)
{
        CLEANUP(rpc_call_free_p) struct rpc_call *c = analytics_call();
        static AnalyticsRows__TakenEvent events[VIEWS_PER_DAY * VIEW_DAYS], *list[VIEWS_PER_DAY * VIEW_DAYS];

        for (int i = 0; i < VIEWS_PER_DAY * VIEW_DAYS; i++) {
                bool always = i % VIEWS_PER_DAY == 0;

                analytics_rows__taken_event__init(&events[i]);
                events[i].id = uuid_new_in(c->arena);
                events[i].name = "note_view";
                events[i].at_ms = first_ms + i / VIEWS_PER_DAY * 24 * HOUR_MS + HOUR_MS;
                events[i].visitor = arena_printf(c->arena, "00000000-0000-4000-9000-%012x", (unsigned)(always ? 0 : i));
                events[i].properties = arena_printf(c->arena, "{\"visible_ms\": %d}", always ? 54321 : 1000 + i);
                list[i] = &events[i];
        }
        assert_int_equal(DB_WRITE(c, tx, store_events(tx, list, VIEWS_PER_DAY * VIEW_DAYS, TEST_ANALYTICS_MIN)), SN_OK);
}

/* "people: percent value, …" */
static const char *distribution_of(int64_t from_ms, int64_t to_ms)
{
        static char text[200];
        CLEANUP(rpc_call_free_p) struct rpc_call *c = analytics_call();
        AnalyticsExplore__DistributionRequest in = ANALYTICS_EXPLORE__DISTRIBUTION_REQUEST__INIT;
        AnalyticsExplore__Distribution out = ANALYTICS_EXPLORE__DISTRIBUTION__INIT;
        char from[CLOCK_RFC3339_SIZE], to[CLOCK_RFC3339_SIZE];

        (void)clock_format_ms(from_ms, from);
        (void)clock_format_ms(to_ms, to);
        in.name = (char *)"note_view";
        in.property = (char *)"visible_ms";
        in.from = from;
        in.to = to;
        analytics_start(); /* sets the smallest group */
        assert_int_equal(analytics_handle_get_distribution(c, &in, &out), SN_OK);
        analytics_stop();
        int len = snprintf(text, sizeof(text), "%lld:", (long long)out.people);
        for (size_t i = 0; i < out.n_percentiles; i++) {
                if (out.percentiles[i]->shown_case != 0) {
                        len += snprintf(text + len, sizeof(text) - (size_t)len, " %u %g", out.percentiles[i]->percent,
                                        out.percentiles[i]->value);
                }
        }
        return text;
}

/* The longest 5 % of all are a single person's. */
static void daily_visitors_alone_do_not_form_the_ends_of_distributions(void **state)
{
        int64_t first_ms = (clock_wall_ms() / (24 * HOUR_MS) - VIEW_DAYS) * 24 * HOUR_MS;

        (void)test_admin(DATABASE, "select analytics_make_months(current_date - 40, 3)");
        view_notes(first_ms);
        make_sketches();
        assert_string_equal(distribution_of(first_ms, first_ms + 24 * HOUR_MS), "20: 25 1000 50 1000 75 1000");
        const char *all = distribution_of(first_ms, first_ms + INT64_C(24) * HOUR_MS * VIEW_DAYS);
        assert_non_null(strstr(all, ": 25 1100 50 1100 75 1200"));
        assert_null(strstr(all, " 95 "));
        assert_string_equal(distribution_of(first_ms - 24 * HOUR_MS, first_ms), "0:");
}

/* ---- One at a time ---- */

/* On the second of two days; every third person on the first one, too. */
static void come(int who, int64_t first_ms)
{
        CLEANUP(rpc_call_free_p) struct rpc_call *c = analytics_call();
        AnalyticsRows__TakenEvent events[2], *list[2];
        size_t n = who % 3 == 0 ? 2 : 1;

        for (size_t i = 0; i < n; i++) {
                analytics_rows__taken_event__init(&events[i]);
                events[i].id = uuid_new_in(c->arena);
                events[i].name = "note_view";
                events[i].at_ms = first_ms + (i == 0 ? 24 : 0) * HOUR_MS + HOUR_MS;
                events[i].visitor = arena_printf(c->arena, "00000000-0000-4000-a000-%012x", (unsigned)who);
                events[i].properties = arena_printf(c->arena, "{\"visible_ms\": %d}", 1000 * (who + 1));
                list[i] = &events[i];
        }
        assert_int_equal(DB_WRITE(c, tx, store_events(tx, list, n, TEST_ANALYTICS_MIN)), SN_OK);
        (void)test_admin(DATABASE, "alter table analytics_sketches disable trigger user; update analytics_sketches set"
                                   " updated_at = now() - interval '2 hours'; alter table analytics_sketches enable"
                                   " trigger user; select 1");
        make_sketches();
}

enum { COMERS = 63, RANGES = 3 };

/* Whatever days are asked for, after each of them: an answer changes when five more are in it, and their number by as
 * many. */
static void people_who_come_one_at_a_time_are_told_in_groups(void **state)
{
        int64_t day_ms = 24 * HOUR_MS, first_ms = (clock_wall_ms() / day_ms - 25) * day_ms;
        const int64_t ranges[RANGES][2] = {{first_ms, first_ms + day_ms},
                                           {first_ms + day_ms, first_ms + 2 * day_ms},
                                           {first_ms, first_ms + 2 * day_ms}};
        char before[RANGES][200] = {"", "", ""};
        int changes[RANGES] = {0};

        for (int who = 0; who < COMERS; who++) {
                come(who, first_ms);
                for (int r = 0; r < RANGES; r++) {
                        const char *now = distribution_of(ranges[r][0], ranges[r][1]);

                        assert_int_equal(strtol(now, NULL, 10) % TEST_ANALYTICS_MIN, 0);
                        changes[r] += who > 0 && strcmp(before[r], now) != 0 ? 1 : 0;
                        (void)snprintf(before[r], sizeof(before[r]), "%s", now);
                }
                assert_true(changes[0] <= (who / 3 + 1) / TEST_ANALYTICS_MIN);
                assert_true(changes[1] <= (who + 1) / TEST_ANALYTICS_MIN);
                assert_true(changes[2] <= changes[0] + changes[1]);
        }
        assert_true(changes[0] >= 3 && changes[1] >= 10 && changes[2] >= 10);
        assert_non_null(strstr(before[1], " 25 "));
}

int main(void)
{
        const struct CMUnitTest tests[] = {
            cmocka_unit_test(sketches_of_days_match_their_events),
            cmocka_unit_test(a_late_event_remakes_the_sketch_of_its_day),
            cmocka_unit_test(late_events_of_few_people_do_not_change_a_sketch),
            cmocka_unit_test(daily_visitors_alone_do_not_form_the_ends_of_distributions),
            cmocka_unit_test(people_who_come_one_at_a_time_are_told_in_groups),
        };

        return cmocka_run_group_tests_name("distributions", tests, analytics_setup, analytics_teardown);
}
