/* The lease that comes and goes: one holder at a time, and another when it ends. */
#include <signal.h>
#include <stdlib.h>
#include "base/clock.h"
#include "db/lease.h"
#include "db/lease_session.h"
#include "db/test_items.h"

static struct test_database t;

static int setup(void **state)
{
        (void)state;
        test_clock_movable();
        test_database_new(&t, ITEMS_MIGRATIONS, 1, 2);
        return 0;
}

static int teardown(void **state)
{
        (void)state;
        test_database_free(&t);
        clock_set_source(NULL);
        return 0;
}

static void wait_held(const struct db_lease *lease, bool held)
{
        int64_t until_us = clock_monotonic_us() + 20000000;

        while (db_lease_held(lease) != held) {
                assert_true(clock_monotonic_us() < until_us);
                clock_sleep_ms(5);
        }
}

static int session_of_lease(void)
{
        char sql[200];

        (void)snprintf(sql, sizeof(sql),
                       "select pid from pg_stat_activity where datname = '%s' and application_name = 'sonet lease'",
                       t.name);
        return (int)strtol(test_admin("postgres", sql), NULL, 10);
}

static void wait_tried(void)
{
        char sql[300];

        (void)snprintf(sql, sizeof(sql),
                       "select count(*) = 1 from pg_stat_activity where datname = '%s' and state = 'idle'"
                       " and query like '%%pg_try_advisory_lock%%'",
                       t.name);
        test_wait_for("postgres", sql);
}

static void a_lease_has_one_holder(void **state)
{
        struct db_lease *a = db_lease_new(t.url, "consumers");

        wait_held(a, true);
        struct db_lease *another = db_lease_new(t.url, "other");

        wait_held(another, true);
        struct db_lease *b = db_lease_new(t.url, "consumers");

        wait_tried();
        assert_false(db_lease_held(b));
        db_lease_free(a);
        wait_held(b, true);
        db_lease_free(another);
        db_lease_free(b);
}

static void a_holder_whose_session_ends_takes_the_lease_again_when_nobody_else_did(void **state)
{
        struct db_lease *a = db_lease_new(t.url, "consumers");
        char sql[80];

        wait_held(a, true);
        int before = session_of_lease();

        (void)snprintf(sql, sizeof(sql), "select pg_terminate_backend(%d)", before);
        (void)test_admin("postgres", sql);
        while (session_of_lease() == 0 || session_of_lease() == before) {
                clock_sleep_ms(5);
        }
        wait_held(a, true);
        db_lease_free(a);
}

/* The server still counts the lock as taken: nobody else can have it before its holder has stopped relying on it. */
static void a_holder_that_hears_nothing_stops_relying_on_the_lease(void **state)
{
        struct db_lease *a = db_lease_new(t.url, "consumers");

        wait_held(a, true);
        int backend = session_of_lease();

        assert_int_equal(kill(backend, SIGSTOP), 0); /* as if the network swallowed everything */
        test_clock_suspend(LEASE_TRUST_MS * INT64_C(1000));
        bool relied = db_lease_held(a); /* before its thread has noticed anything */

        assert_int_equal(kill(backend, SIGCONT), 0);
        assert_false(relied);
        wait_held(a, true);
        db_lease_free(a);
}

int run_lease_tests(void)
{
        const struct CMUnitTest tests[] = {
            cmocka_unit_test(a_lease_has_one_holder),
            cmocka_unit_test(a_holder_whose_session_ends_takes_the_lease_again_when_nobody_else_did),
            cmocka_unit_test(a_holder_that_hears_nothing_stops_relying_on_the_lease),
        };

        return cmocka_run_group_tests_name("db: lease", tests, setup, teardown);
}
