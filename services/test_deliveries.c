/* Deliveries as a metric: the job of analytics counts notification_service's log, each delivery once, in portions of
 * enough people. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <cmocka.h>
#include "db/migrate.h"
#include "services/test_support.h"

#define LOG       "notification_service"
#define ANALYTICS "analytics_service"

/* n deliveries to `people` members, this many minutes after yesterday's noon. */
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

static void roll_up(void)
{
        (void)test_network_run_job("analytics", "count_deliveries");
}

/* As if nothing had been counted since this many minutes after yesterday's noon. */
static void count_from(int minutes)
{
        char sql[300];

        (void)snprintf(sql, sizeof(sql),
                       "update counted_deliveries set counted_to = date_trunc('day', now(), 'UTC') - interval '12 "
                       "hours' + interval '%d minutes';"
                       " select 1",
                       minutes);
        (void)test_admin(ANALYTICS, sql);
}

static const char *rolled(const char *grain)
{
        char sql[300];

        (void)snprintf(sql, sizeof(sql),
                       "select coalesce(string_agg(to_char(bucket at time zone 'UTC', 'HH24') || ':' || published,"
                       " ' ' order by bucket), '') from business_metrics where name = 'deliveries' and grain = '%s'",
                       grain);
        return test_admin(ANALYTICS, sql);
}

/* For each test: nothing sent, nothing counted. */
static int nothing_sent(void **state)
{
        (void)test_admin(LOG, "delete from notification_delivery_logs; select 1");
        (void)test_admin(ANALYTICS, "delete from business_metrics; update counted_deliveries set counted_to = null"
                                    "; select 1");
        return 0;
}

static void deliveries_are_counted_once_by_hours_and_days(void **state)
{
        roll_up();
        assert_string_equal(rolled("hour"), "");
        log_some("sent", 6, 5, 10);
        log_some("sent", 8, 6, 70);
        log_some("refused", 9, 9, 10);
        log_some("later", 9, 9, 130);
        count_from(0);
        roll_up();
        roll_up();
        assert_string_equal(rolled("hour"), "12:6 13:8");
        assert_string_equal(rolled("day"), "00:14");
}

static void hours_of_few_people_count_together_for_their_day(void **state)
{
        log_some("sent", 6, 3, 10);  /* to three people */
        log_some("sent", 9, 4, 70);  /* the same and another one */
        log_some("sent", 5, 5, 130); /* two more: five in total */
        log_some("sent", 8, 6, 190);
        log_some("sent", 4, 4, 250); /* too few, and nothing else on that day */
        count_from(0);
        roll_up();
        assert_string_equal(rolled("hour"), "15:8");
        assert_string_equal(rolled("day"), "00:28");
}

/* One member at a time, and a count after each: it grows by five people or not at all. */
static void a_count_grows_by_enough_people_at_a_time(void **state)
{
        (void)test_admin(
            ANALYTICS,
            "update counted_deliveries set counted_to = date_trunc('second', now() - interval '65 seconds'); select 1");
        for (int i = 0; i < 4; i++) {
                (void)test_admin(LOG, "insert into notification_delivery_logs (id, notification_id, user_id, channel,"
                                      " provider, outcome, status, took_ms, created_at) select gen_random_uuid(),"
                                      " gen_random_uuid(), gen_random_uuid(), 1, '', 'sent', 0, 0, now() - interval"
                                      " '62 seconds'; select 1");
                roll_up();
                assert_string_equal(rolled("day"), "");
        }
}

/* New rows are counted once no older transaction can still be open. */
static void the_last_seconds_are_counted_later(void **state)
{
        log_some("sent", 50, 9, 10);
        (void)test_admin(LOG, "update notification_delivery_logs set created_at = now() - interval '45 seconds'"
                              "; select 1");
        count_from(0);
        roll_up();
        assert_string_equal(rolled("day"), "");
        (void)test_admin(LOG, "update notification_delivery_logs set created_at = now() - interval '61 seconds'"
                              "; select 1");
        count_from(0);
        roll_up();
        assert_string_equal(
            test_admin(ANALYTICS, "select sum(published) from business_metrics where name = 'deliveries' and grain ="
                                  " 'day'"),
            "50");
}

/* Otherwise two answers would differ by one member's deliveries. */
static void counts_remain_when_a_members_log_is_deleted(void **state)
{
        log_some("sent", 20, 9, 10);
        count_from(0);
        roll_up();
        (void)test_admin(LOG, "delete from notification_delivery_logs where user_id::text like '%1'; select 1");
        roll_up();
        assert_string_equal(rolled("day"), "00:20");
}

static void a_day_no_longer_in_the_log_is_not_counted(void **state)
{
        log_some("sent", 5, 5, -40 * 1440);
        log_some("sent", 7, 5, 10);
        roll_up();
        assert_string_equal(rolled("day"), "00:7");
}

/* Two processes count from the same time. */
static void deliveries_counted_by_another_process_are_not_added_again(void **state)
{
        char sql[] = "update counted_deliveries set counted_to = now() + interval '1 day'; select 1";

        log_some("sent", 7, 5, 10);
        count_from(0);
        (void)test_admin(ANALYTICS, sql);
        roll_up();
        assert_string_equal(rolled("day"), "");
}

/* ---- Counts from before portions ---- */

extern const struct service_definition analytics_service;

static void migrate(const char *database, size_t n)
{
        struct db_schema schema = {database, analytics_service.schema->migrations, n};
        struct buf error;

        buf_init(&error, 4096);
        if (db_provision(test_admin_url(), &schema, NULL, &error) != SN_OK) {
                fail_msg("%s", error.data);
        }
        buf_free(&error);
}

/* Changed by the migration of portions itself, not by counting. */
static void counting_continues_where_it_was_before_the_migration(void **state)
{
        static const char database[] = "analytics_before_portions";

        migrate(database, 12);
        (void)test_admin(database, "insert into business_metrics (name, grain, bucket, value, people, updated_at)"
                                   " select 'deliveries', grain, date_trunc(grain, timestamptz '2026-01-02 12:00Z',"
                                   " 'UTC'), 9, 9, '2026-01-02 12:34:56.7Z' from (values ('hour'), ('day')) g (grain)"
                                   "; select 1");
        migrate(database, analytics_service.schema->n);
        assert_string_equal(test_admin(database, "select counted_to = '2026-01-02 12:34:56Z' from counted_deliveries"),
                            "t");
        assert_string_equal(test_admin(database, "select sum(published) from business_metrics"), "18");
}

int main(void)
{
        const struct CMUnitTest tests[] = {
            cmocka_unit_test_setup(deliveries_are_counted_once_by_hours_and_days, nothing_sent),
            cmocka_unit_test_setup(hours_of_few_people_count_together_for_their_day, nothing_sent),
            cmocka_unit_test_setup(a_count_grows_by_enough_people_at_a_time, nothing_sent),
            cmocka_unit_test_setup(the_last_seconds_are_counted_later, nothing_sent),
            cmocka_unit_test_setup(counts_remain_when_a_members_log_is_deleted, nothing_sent),
            cmocka_unit_test_setup(a_day_no_longer_in_the_log_is_not_counted, nothing_sent),
            cmocka_unit_test_setup(deliveries_counted_by_another_process_are_not_added_again, nothing_sent),
            cmocka_unit_test(counting_continues_where_it_was_before_the_migration),
        };

        return cmocka_run_group_tests_name("deliveries", tests, test_start_plain, test_stop);
}
