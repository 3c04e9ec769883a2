/* What analytics reports: to authors about their notes, to members about their engagement, to operators what they
 * query. All from stored events. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <cmocka.h>
#include "base/clock.h"
#include "google/protobuf/timestamp.pb-c.h"
#include "services/analytics/insights.h"
#include "services/analytics/store.h"
#include "services/analytics/store_explore.h"
#include "services/analytics/store_insights.h"
#include "services/test_analytics_support.h"
#include "services/test_support.h"

#define DATABASE TEST_ANALYTICS
#define HOUR_MS  INT64_C(3600000)

/* ---- Reports to authors ---- */

/* Other visitors view the note, all from the same source and at the same time. */
static void view(const char *note, int people, const char *source, int hours_ago)
{
        char visitor[UUID_SIZE], properties[60], sql[400];

        (void)snprintf(properties, sizeof(properties), "{\"from\":\"%s\"}", source);
        for (int i = 0; i < people; i++) {
                analytics_store(&(struct about){
                    .name = "note_view", .visitor = uuid_new(visitor), .object_id = note, .properties = properties});
        }
        (void)snprintf(sql, sizeof(sql),
                       "update user_events set created_at = now() - %d * interval '1 hour' where object_id = '%s'"
                       " and created_at > now() - interval '30 minutes'; select 1",
                       hours_ago, note);
        (void)test_admin(DATABASE, sql);
}

static void tell(const char *note, const char *author)
{
        CLEANUP(rpc_call_free_p) struct rpc_call *c = analytics_call();

        assert_int_equal(DB_WRITE(c, tx, insights_count_new(tx, note, author, 5)), SN_OK);
}

static const char *told(const char *note)
{
        char sql[400];

        (void)snprintf(sql, sizeof(sql),
                       "select coalesce(string_agg(source || ':' || views || '/' || engagements, ' '"
                       " order by from_at, source), '') from content_analytics where note_id = '%s'",
                       note);
        return test_admin(DATABASE, sql);
}

static void views_are_published_in_groups_and_never_change(void **state)
{
        char author[UUID_SIZE], note[UUID_SIZE], liker[UUID_SIZE];

        analytics_store(
            &(struct about){.name = "note.created", .user_id = uuid_new(author), .object_id = uuid_new(note)});
        view(note, 4, "home", 9);
        tell(note, author);
        assert_string_equal(told(note), "");
        /* Two hours together are enough; showing one of two sources would reveal the other. */
        view(note, 3, "link", 7);
        tell(note, author);
        assert_string_equal(told(note), ":7/0");
        analytics_store(&(struct about){.name = "note.liked", .user_id = uuid_new(liker), .object_id = note});
        view(note, 6, "home", 5);
        view(note, 5, "search", 5);
        view(note, 4, "home", 3);
        tell(note, author);
        tell(note, author);
        assert_string_equal(told(note), ":7/0 :11/1 home:6/0 search:5/0");
        view(note, 20, "no such place", 0);
        tell(note, author);
        assert_string_equal(told(note), ":7/0 :11/1 home:6/0 search:5/0"); /* that hour is not complete */
        char sql[200];
        (void)snprintf(sql, sizeof(sql),
                       "select views || ' ' || engagements || ' ' || reach from content_performance"
                       " where note_id = '%s'",
                       note);
        assert_string_equal(test_admin(DATABASE, sql), "18 1 18");
}

static void reach_does_not_fall_when_old_events_are_deleted(void **state)
{
        char author[UUID_SIZE], note[UUID_SIZE], sql[200];

        analytics_store(
            &(struct about){.name = "note.created", .user_id = uuid_new(author), .object_id = uuid_new(note)});
        view(note, 11, "home", 9);
        tell(note, author);
        (void)snprintf(sql, sizeof(sql), "delete from user_events where object_id = '%s'; select 1", note);
        (void)test_admin(DATABASE, sql);
        view(note, 6, "home", 5);
        tell(note, author);
        assert_string_equal(told(note), ":11/0 home:11/0 :6/0 home:6/0");
        (void)snprintf(sql, sizeof(sql), "select reach from content_performance where note_id = '%s'", note);
        assert_string_equal(test_admin(DATABASE, sql), "11");
}

static void repeated_views_count_one_person(void **state)
{
        char author[UUID_SIZE], note[UUID_SIZE], viewer[UUID_SIZE];

        analytics_store(
            &(struct about){.name = "note.created", .user_id = uuid_new(author), .object_id = uuid_new(note)});
        (void)uuid_new(viewer);
        for (int hour = 9; hour > 2; hour--) {
                analytics_store(&(struct about){.name = "note_view", .user_id = viewer, .object_id = note});
                view(note, 0, "", hour);
        }
        view(note, 3, "home", 2);
        tell(note, author);
        assert_string_equal(told(note), "");
}

static void statistics_of_a_note_are_deleted_with_it(void **state)
{
        char author[UUID_SIZE], note[UUID_SIZE], sql[200];

        analytics_store(
            &(struct about){.name = "note.created", .user_id = uuid_new(author), .object_id = uuid_new(note)});
        view(note, 6, "home", 3);
        tell(note, author);
        assert_string_equal(told(note), ":6/0 home:6/0");
        analytics_store(&(struct about){.name = "note.deleted", .user_id = author, .object_id = note});
        assert_string_equal(told(note), "");
        (void)snprintf(sql, sizeof(sql), "select count(*) from content_performance where note_id = '%s'", note);
        assert_string_equal(test_admin(DATABASE, sql), "0");
}

static size_t engagement_of(const char *member, bool *enabled, AnalyticsInsights__EngagedWith *first)
{
        CLEANUP(rpc_call_free_p) struct rpc_call *c = analytics_call();
        AnalyticsInsights__EngagedWith **items = NULL;
        size_t n = 0;

        assert_int_equal(DB_READ(c, tx, store_engagement(tx, member, enabled, &n, &items)), SN_OK);
        if (n > 0) {
                *first = *items[0];
        }
        return n;
}

static void assert_about(double is, double wanted)
{
        if (!(is > wanted * 0.999 && is < wanted * 1.001)) {
                fail_msg("%g is not %g", is, wanted);
        }
}

static void engagement_fades_and_can_be_disabled_by_the_member(void **state)
{
        char author[UUID_SIZE], note[UUID_SIZE], reader[UUID_SIZE];
        CLEANUP(rpc_call_free_p) struct rpc_call *c = analytics_call();
        AnalyticsInsights__EngagedWith with = {0};
        bool enabled = false;

        analytics_store(
            &(struct about){.name = "note.created", .user_id = uuid_new(author), .object_id = uuid_new(note)});
        struct about seen = {.name = "note_view", .user_id = uuid_new(reader), .object_id = note},
                     liked = {.name = "note.liked", .user_id = reader, .object_id = note};
        analytics_store(&seen);
        analytics_store(&seen);
        analytics_store(&liked);
        analytics_store(
            &(struct about){.name = "note_view", .user_id = author, .object_id = note}); /* the author's own view */
        assert_int_equal(engagement_of(author, &enabled, &with), 0);
        assert_int_equal(engagement_of(reader, &enabled, &with), 1);
        assert_about(with.reads, 2);
        assert_about(with.likes, 1);
        (void)test_admin(DATABASE, "update user_engagement_profiles set reads = reads / 2; select 1"); /* 30 days */
        assert_int_equal(engagement_of(reader, &enabled, &with), 1);
        assert_about(with.reads, 1);

        assert_int_equal(DB_WRITE(c, tx, store_switch_engagement(tx, reader, false)), SN_OK);
        analytics_store(&seen);
        assert_int_equal(engagement_of(reader, &enabled, &with), 0);
        assert_false(enabled);
        assert_int_equal(DB_WRITE(c, tx, store_switch_engagement(tx, reader, true)), SN_OK);
        analytics_store(&liked);
        assert_int_equal(engagement_of(reader, &enabled, &with), 1);
        assert_true(enabled);
        /* Erasing the author also removes them from the reader's profile. */
        assert_int_equal(DB_WRITE(c, tx, store_forget_member(tx, author)), SN_OK);
        assert_int_equal(engagement_of(reader, &enabled, &with), 0);
        assert_string_equal(test_admin(DATABASE, "select count(*) from user_engagement_profiles u, analytics_people p"
                                                 " where p.visitor in (u.visitor, u.author) and p.user_id is null"),
                            "0");
}

static void a_note_that_is_liked_at_once_is_engaged_with(void **state)
{
        char author[UUID_SIZE], note[UUID_SIZE], reader[UUID_SIZE];
        AnalyticsInsights__EngagedWith with = {0};
        bool enabled = false;

        (void)uuid_new(author);
        (void)uuid_new(note);
        (void)uuid_new(reader);
        analytics_store_together((const struct about[]){{.name = "note.created", .user_id = author, .object_id = note},
                                                        {.name = "note.liked", .user_id = reader, .object_id = note}},
                                 2);
        assert_int_equal(engagement_of(reader, &enabled, &with), 1);
        assert_about(with.likes, 1);
}

/* ---- Queries ---- */

/* An event of one of them, hours after a day long ago that no other test uses, stored some hours later. */
static void did_late(const char *who, const char *name, const char *properties, int hours, int late)
{
        char sql[600];

        (void)snprintf(sql, sizeof(sql),
                       "insert into user_events (id, at, name, visitor, member, properties, created_at)"
                       " select gen_random_uuid(), at, '%s', '%s', true, '%s', at + %d * interval '1 hour'"
                       " from (select timestamptz '2021-03-01 00:00Z' + %d * interval '1 hour' as at) t; select 1",
                       name, who, properties, late, hours);
        (void)test_admin(DATABASE, sql);
}

static void did(const char *who, const char *name, const char *properties, int hours)
{
        did_late(who, name, properties, hours, 0);
}

#define LONG_AGO_MS INT64_C(1614556800000) /* 2021-03-01 */
static const struct days long_ago = {LONG_AGO_MS, LONG_AGO_MS + 28 * 24 * HOUR_MS};

static void a_funnel_counts_people_who_do_all_steps_in_order_and_in_time(void **state)
{
        CLEANUP(rpc_call_free_p) struct rpc_call *c = analytics_call();
        char *steps[] = {(char *)"app_open", (char *)"search", (char *)"click"};
        char who[4][UUID_SIZE];
        int64_t people[3] = {0};

        (void)test_admin(DATABASE, "select analytics_make_months('2021-03-01', 0)");
        for (int i = 0; i < 4; i++) {
                did(uuid_new(who[i]), "app_open", "{}", 1);
        }
        did(who[0], "search", "{}", 2);
        did(who[0], "click", "{}", 3);
        did(who[1], "click", "{}", 2); /* in another order */
        did(who[1], "search", "{}", 3);
        did(who[2], "search", "{}", 26); /* too late */
        assert_int_equal(DB_READ(c, tx, store_funnel(tx, steps, 3, long_ago, 24, people)), SN_OK);
        assert_true(people[0] == 4 && people[1] == 2 && people[2] == 1);
        assert_int_equal(DB_READ(c, tx, store_funnel(tx, steps, 3, long_ago, 48, people)), SN_OK);
        assert_true(people[0] == 4 && people[1] == 3 && people[2] == 1);
        /* An event of before that comes late takes nobody out. */
        did(who[0], "app_open", "{}", 0);
        did(who[2], "search", "{}", 1); /* not later than its first step */
        assert_int_equal(DB_READ(c, tx, store_funnel(tx, steps, 3, long_ago, 2, people)), SN_OK);
        assert_true(people[0] == 4 && people[1] == 2 && people[2] == 1);
}

/* All eight steps, of which some are the same event. */
static void a_funnel_of_eight_steps_counts_each(void **state)
{
        CLEANUP(rpc_call_free_p) struct rpc_call *c = analytics_call();
        char *steps[] = {(char *)"app_open", (char *)"search", (char *)"search", (char *)"click",
                         (char *)"app_open", (char *)"search", (char *)"click",  (char *)"page_view"};
        static const int64_t wanted[] = {3, 3, 3, 2, 2, 2, 2, 1};
        char who[3][UUID_SIZE];
        int64_t people[8] = {0};

        (void)test_admin(DATABASE, "delete from user_events where at < '2021-04-01'; select 1");
        for (int i = 0; i < 3; i++) {
                (void)uuid_new(who[i]);
                for (int step = 0; step < 8 - i; step++) {
                        if (i < 2 || step != 2) { /* the last one searches again at the end */
                                did(who[i], steps[step], "{}", step + 1);
                        }
                }
        }
        assert_int_equal(DB_READ(c, tx, store_funnel(tx, steps, 8, long_ago, 24, people)), SN_OK);
        assert_memory_equal(people, wanted, sizeof(people));
}

/* By the definition: joins of all events of a person with all later ones. */
static const char *funnel_by_joins(const char *first, const char *second, const char *third)
{
        char sql[1600];

        (void)snprintf(
            sql, sizeof(sql),
            "with e as (select visitor, at, name from user_events where at < '2021-04-01') select count(distinct "
            "a.visitor)"
            " || ' ' || count(distinct b.visitor) || ' ' || count(distinct c.visitor) from e a left join e b"
            " on b.visitor = a.visitor and b.name = '%s' and b.at > a.at and b.at <= a.at + interval '12 hours'"
            " left join e c on c.visitor = b.visitor and c.name = '%s' and c.at > b.at"
            " and c.at <= a.at + interval '12 hours' where a.name = '%s'",
            second, third, first);
        return test_admin(DATABASE, sql);
}

static void any_funnel_counts_as_defined(void **state)
{
        char *names[] = {(char *)"app_open", (char *)"search", (char *)"click"};

        (void)test_admin(DATABASE, "delete from user_events where at < '2021-04-01'; select 1");
        (void)test_admin(DATABASE,
                         "select setseed(0.5); insert into user_events (id, at, name, visitor, member)"
                         " select gen_random_uuid(), timestamptz '2021-03-01 00:00Z' + floor(random() * 40) * interval"
                         " '1 hour', (array['app_open', 'search', 'click'])[1 + floor(random() * 3)],"
                         " ('00000000-0000-4000-8000-' || lpad((n % 60)::text, 12, '0'))::uuid, true"
                         " from generate_series(1, 400) n; select 1");
        for (int i = 0; i < 27; i++) {
                CLEANUP(rpc_call_free_p) struct rpc_call *c = analytics_call();
                char *steps[] = {names[i / 9], names[i / 3 % 3], names[i % 3]}, counted[60];
                int64_t people[3] = {0};

                assert_int_equal(DB_READ(c, tx, store_funnel(tx, steps, 3, long_ago, 12, people)), SN_OK);
                (void)snprintf(counted, sizeof(counted), "%lld %lld %lld", (long long)people[0], (long long)people[1],
                               (long long)people[2]);
                assert_string_equal(counted, funnel_by_joins(steps[0], steps[1], steps[2]));
        }
        (void)test_admin(DATABASE, "delete from user_events where at < '2021-04-01'; select 1");
}

static void expect_rows(const void *rows, size_t n, size_t expected)
{
        assert_int_equal(n, expected);
        if (rows == NULL) {
                abort(); /* continuing would crash elsewhere */
        }
}

static void paths_and_breakdowns_count_people_and_leave_out_few(void **state)
{
        CLEANUP(rpc_call_free_p) struct rpc_call *c = analytics_call();
        AnalyticsExplore__PathEdge **edges = NULL;
        AnalyticsExplore__BreakdownItem **items = NULL;
        char who[UUID_SIZE];
        size_t n = 0;

        for (int i = 0; i < 3; i++) {
                (void)uuid_new(who);
                did(who, "page_view", "{\"path\":\"/a\"}", 50);
                did(who, "page_view", "{\"path\":\"/b\"}", 51);
                did(who, "page_view", i == 0 ? "{\"path\":\"/c\"}" : "{\"path\":\"/b\"}", 52);
                did(who, "page_view", "{\"path\":\"/a\"}", 80); /* another day */
        }
        assert_int_equal(DB_READ(c, tx, store_paths(tx, long_ago, 2, &n, &edges)), SN_OK);
        expect_rows(edges, n, 1);
        assert_string_equal(edges[0]->page, "/a");
        assert_string_equal(edges[0]->next, "/b");
        assert_int_equal(edges[0]->people, 2); /* three people, in steps of two */
        assert_int_equal(DB_READ(c, tx, store_breakdown(tx, "page_view", "path", long_ago, 2, &n, &items)), SN_OK);
        expect_rows(items, n, 2);
        assert_string_equal(items[0]->value, "/a");
        assert_int_equal(items[0]->people, 2);
}

static int64_t edge_from(const char *page, const char *next, int64_t min)
{
        CLEANUP(rpc_call_free_p) struct rpc_call *c = analytics_call();
        AnalyticsExplore__PathEdge **edges = NULL;
        size_t n = 0;

        assert_int_equal(DB_READ(c, tx, store_paths(tx, long_ago, min, &n, &edges)), SN_OK);
        for (size_t i = 0; i < n; i++) {
                if (strcmp(edges[i]->page, page) == 0 && strcmp(edges[i]->next, next) == 0) {
                        return edges[i]->people;
                }
        }
        return 0;
}

/* A late page view between two others would take its person out of their step. */
static void late_page_views_change_no_path(void **state)
{
        char who[3][UUID_SIZE];

        for (int i = 0; i < 3; i++) {
                did(uuid_new(who[i]), "page_view", "{\"path\":\"/from\"}", 100);
                did_late(who[i], "page_view", "{\"path\":\"/to\"}", 118, 7); /* 22:00, stored at 5:00 */
        }
        assert_int_equal(edge_from("/from", "/to", 3), 3);
        did_late(who[0], "page_view", "{\"path\":\"/between\"}", 110, 17); /* 14:00, stored at 7:00 */
        assert_int_equal(edge_from("/from", "/to", 3), 3);
        assert_int_equal(edge_from("/from", "/between", 1), 0);
        did_late(who[1], "page_view", "{\"path\":\"/between\"}", 110, 15); /* the same, stored at 5:00 */
        assert_int_equal(edge_from("/from", "/to", 1), 2);
        assert_int_equal(edge_from("/from", "/between", 1), 1);
}

int main(void)
{
        const struct CMUnitTest tests[] = {
            cmocka_unit_test(views_are_published_in_groups_and_never_change),
            cmocka_unit_test(reach_does_not_fall_when_old_events_are_deleted),
            cmocka_unit_test(repeated_views_count_one_person),
            cmocka_unit_test(statistics_of_a_note_are_deleted_with_it),
            cmocka_unit_test(engagement_fades_and_can_be_disabled_by_the_member),
            cmocka_unit_test(a_note_that_is_liked_at_once_is_engaged_with),
            cmocka_unit_test(a_funnel_counts_people_who_do_all_steps_in_order_and_in_time),
            cmocka_unit_test(a_funnel_of_eight_steps_counts_each),
            cmocka_unit_test(any_funnel_counts_as_defined),
            cmocka_unit_test(paths_and_breakdowns_count_people_and_leave_out_few),
            cmocka_unit_test(late_page_views_change_no_path),
        };

        return cmocka_run_group_tests(tests, analytics_setup, analytics_teardown);
}
