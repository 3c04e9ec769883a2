/* Deliveries as a metric: what notification_service counts of its log, and what analytics keeps of that. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <cmocka.h>
#include "google/protobuf/timestamp.pb-c.h"
#include "services/analytics/store.h"
#include "services/analytics/visitor.h"
#include "services/notification/store.h"
#include "services/test_analytics_support.h"
#include "services/test_support.h"

#define LOG "notification_service"

static struct service notification = {.name = "notification"};

static int setup(void **state)
{
        static char url[300];

        if (analytics_setup(state) != 0) {
                return -1;
        }
        test_url(url, LOG, LOG);
        notification.db = db_new(&(struct db_options){.name = LOG, .url = url, .max_connections = 2});
        return notification.db != NULL ? 0 : -1;
}

static int teardown(void **state)
{
        db_free(notification.db);
        return analytics_teardown(state);
}

/* n of people members, so many minutes after yesterday's noon. */
static void log_some(const char *outcome, int n, int people, int minutes)
{
        char sql[500];

        (void)snprintf(
            sql, sizeof(sql),
            "insert into notification_delivery_logs (id, notification_id, user_id, channel, provider, outcome,"
            " status, took_ms, created_at) select gen_random_uuid(), gen_random_uuid(), ('00000000-0000-4000-"
            "8000-00000000000' || i %% %d)::uuid, 1, '', '%s', 0, 0, date_trunc('day', now(), 'UTC') -"
            " interval '12 hours' + interval '%d minutes' from generate_series(1, %d) i; select 1",
            people, outcome, minutes, n);
        (void)test_admin(LOG, sql);
}

enum { KEPT_DAYS = 31 };

/* As the job does (count_deliveries.c). */
static void roll_up(void)
{
        CLEANUP(rpc_call_free_p)
        struct rpc_call *c = analytics_call(), *asked = rpc_call_new_background(&notification, 20000);
        int64_t known_ms = 0, oldest_ms = c->now_ms - KEPT_DAYS * DAY_MS;

        assert_int_equal(DB_READ(c, tx, store_delivery_counts_known(tx, &known_ms)), SN_OK);
        for (int64_t ms = known_ms > oldest_ms ? known_ms : oldest_ms; ms < c->now_ms; ms += DAY_MS - ms % DAY_MS) {
                Notification__DeliveryCount **counts = NULL;
                size_t n = 0;

                assert_int_equal(DB_READ(asked, tx, store_count_deliveries(tx, ms, &n, &counts)), SN_OK);
                assert_int_equal(DB_WRITE(c, tx, store_delivery_counts(tx, counts, n)), SN_OK);
        }
}

static const char *rolled(const char *grain)
{
        char sql[300];

        (void)snprintf(sql, sizeof(sql),
                       "select coalesce(string_agg(to_char(bucket at time zone 'UTC', 'HH24') || ':' || value || '/' ||"
                       " people, ' ' order by bucket), '') from business_metrics where name = 'deliveries'"
                       " and grain = '%s'",
                       grain);
        return test_admin(TEST_ANALYTICS, sql);
}

static void deliveries_are_counted_by_hours_and_days_with_their_people(void **state)
{
        roll_up();
        assert_string_equal(rolled("hour"), "");
        log_some("sent", 6, 5, 10);
        log_some("sent", 3, 3, 70);
        log_some("refused", 9, 9, 10);
        log_some("later", 9, 9, 130);
        roll_up();
        roll_up();
        assert_string_equal(rolled("hour"), "12:6/5 13:3/3");
        assert_string_equal(rolled("day"), "00:9/5");
}

/* What was being written while it counted, in the day of the last ones, too. */
static void late_ones_count_and_none_counts_twice(void **state)
{
        log_some("sent", 1, 1, 20);
        log_some("sent", 2, 9, 200);
        roll_up();
        assert_string_equal(rolled("hour"), "12:7/5 13:3/3 15:2/2");
        assert_string_equal(rolled("day"), "00:12/5");
        assert_string_equal(test_admin(TEST_ANALYTICS, "select count(*) from user_sessions"),
                            "0"); /* nobody was there */
}

/* Otherwise two answers would differ by what one member was sent. */
static void numbers_stay_when_the_log_of_a_member_goes(void **state)
{
        (void)test_admin(LOG, "delete from notification_delivery_logs where user_id::text like '%1'; select 1");
        roll_up();
        assert_string_equal(rolled("hour"), "12:7/5 13:3/3 15:2/2");
        assert_string_equal(rolled("day"), "00:12/5");
}

static void a_day_that_is_kept_no_longer_is_not_counted(void **state)
{
        log_some("sent", 5, 5, -40 * 1440);
        (void)test_admin(TEST_ANALYTICS, "delete from business_metrics; select 1");
        roll_up();
        assert_string_equal(test_admin(TEST_ANALYTICS, "select count(*) from business_metrics where grain = 'day'"),
                            "1");
}

int main(void)
{
        const struct CMUnitTest tests[] = {
            cmocka_unit_test(deliveries_are_counted_by_hours_and_days_with_their_people),
            cmocka_unit_test(late_ones_count_and_none_counts_twice),
            cmocka_unit_test(numbers_stay_when_the_log_of_a_member_goes),
            cmocka_unit_test(a_day_that_is_kept_no_longer_is_not_counted),
        };

        return cmocka_run_group_tests_name("deliveries", tests, setup, teardown);
}
