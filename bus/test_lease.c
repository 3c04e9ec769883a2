/* Leases by counters: one holder at a time, another one when the counter stops, and no clocks compared. */
#include <pthread.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stdatomic.h>
#include <stdio.h>
#include <string.h>
#include <cmocka.h>
#include "base/clock.h"
#include "base/log.h"
#include "bus/lease.h"
#include "db/test_support.h"

static struct test_database database;

static int setup(void **state)
{
        log_setup("test", LOG_LEVEL_ERROR, LOG_FORMAT_TEXT);
        test_database_new(&database, NULL, 0, 4);
        return 0;
}

static int teardown(void **state)
{
        test_database_free(&database);
        return 0;
}

static void wait_held(const struct bus_lease *lease, bool held)
{
        for (int64_t until_us = clock_monotonic_us() + 20000000; bus_lease_held(lease) != held;) {
                assert_true(clock_monotonic_us() < until_us);
                clock_sleep_ms(5);
        }
}

static void end(struct bus_leases *leases)
{
        bus_leases_remove(leases, NULL);
        bus_leases_free(leases);
}

static void one_of_two_holds_a_lease_and_the_other_gets_it_when_released(void **state)
{
        struct bus_leases *first = bus_leases_new(&database.service), *second = bus_leases_new(&database.service);
        const struct bus_lease *a = bus_leases_add(first, NULL, "a", NULL), *again, *b;

        wait_held(a, true);
        again = bus_leases_add(second, NULL, "a", NULL);
        b = bus_leases_add(second, NULL, "b", NULL);
        wait_held(b, true); /* it has checked both by then */
        assert_false(bus_lease_held(again));
        end(first);
        wait_held(again, true);
        end(second);
        assert_string_equal(test_admin(database.name, "select count(*) from bus_leases"), "0");
}

#define ANOTHER "'018f0000-0000-7000-8000-00000000000a'"

/* A holder in another process, which counts or does not. The time at which it took the lease does not matter. */
static void hold_elsewhere(void)
{
        (void)test_admin(database.name, "insert into bus_leases (name, holder, taken_at) values ('a', " ANOTHER
                                        ", now() + interval '1 hour')");
}

static void a_stale_lease_is_taken_over(void **state)
{
        struct bus_leases *leases = bus_leases_new(&database.service);
        int64_t began_us = clock_monotonic_us();

        hold_elsewhere();
        const struct bus_lease *a = bus_leases_add(leases, NULL, "a", NULL);
        wait_held(a, true);
        assert_true(clock_monotonic_us() - began_us >= BUS_LEASE_TAKEOVER_MS * INT64_C(1000));
        end(leases);
}

static void a_lease_with_heartbeats_is_not_taken(void **state)
{
        struct bus_leases *leases = bus_leases_new(&database.service);
        int64_t began_us = clock_monotonic_us();

        hold_elsewhere();
        const struct bus_lease *a = bus_leases_add(leases, NULL, "a", NULL);
        while (clock_monotonic_us() - began_us < 2 * BUS_LEASE_TAKEOVER_MS * INT64_C(1000)) {
                (void)test_admin(database.name, "update bus_leases set beats = beats + 1 where holder = " ANOTHER);
                assert_false(bus_lease_held(a));
                clock_sleep_ms(50);
        }
        assert_string_equal(test_admin(database.name, "select holder = " ANOTHER " from bus_leases"), "t");
        end(leases);
}

static void a_holder_that_was_replaced_releases_its_lease(void **state)
{
        struct bus_leases *leases = bus_leases_new(&database.service);
        const struct bus_lease *a = bus_leases_add(leases, NULL, "a", NULL);

        wait_held(a, true);
        (void)test_admin(database.name, "update bus_leases set beats = beats + 1, holder = " ANOTHER);
        wait_held(a, false);
        end(leases);
        assert_string_equal(test_admin(database.name, "select holder = " ANOTHER " from bus_leases"), "t");
}

static void an_owner_releases_only_its_own_leases(void **state)
{
        struct bus_leases *leases = bus_leases_new(&database.service);
        const int relay = 0, runner = 0;
        const struct bus_lease *a = bus_leases_add(leases, &relay, "a", NULL), *b = NULL;

        wait_held(a, true);
        b = bus_leases_add(leases, &runner, "b", NULL);
        wait_held(b, true);
        bus_leases_remove(leases, &runner);
        assert_string_equal(test_admin(database.name, "select string_agg(name, ',') from bus_leases"), "a");
        wait_held(a, true);
        bus_leases_remove(leases, &relay);
        bus_leases_free(leases);
        assert_string_equal(test_admin(database.name, "select count(*) from bus_leases"), "0");
}

static void without_the_database_a_lease_is_trusted_only_briefly(void **state)
{
        struct bus_leases *leases = bus_leases_new(&database.service);
        const struct bus_lease *a = bus_leases_add(leases, NULL, "a", NULL);

        wait_held(a, true);
        (void)test_admin(database.name, "alter table bus_leases rename to out_of_reach");
        wait_held(a, false);
        (void)test_admin(database.name, "alter table out_of_reach rename to bus_leases");
        wait_held(a, true);
        end(leases);
}

static void terms_are_numbered_and_outlive_the_leases(void **state)
{
        struct bus_term term = {0};
        struct bus_leases *leases = bus_leases_new(&database.service);
        const struct bus_lease *a = bus_leases_add(leases, NULL, "a", &term);

        wait_held(a, true);
        assert_int_equal(bus_term_number(&term), 1);
        (void)test_admin(database.name, "alter table bus_leases rename to out_of_reach");
        wait_held(a, false);
        assert_int_equal(bus_term_number(&term), 0);
        (void)test_admin(database.name, "alter table out_of_reach rename to bus_leases");
        wait_held(a, true);
        assert_int_equal(bus_term_number(&term), 1); /* no other process had it in between */
        (void)test_admin(database.name, "update bus_leases set beats = beats + 1, holder = " ANOTHER);
        wait_held(a, false);
        wait_held(a, true);
        assert_int_equal(bus_term_number(&term), 2);
        end(leases);
        assert_int_equal(bus_term_number(&term), 0);
}

int main(void)
{
        const struct CMUnitTest tests[] = {
            cmocka_unit_test_setup_teardown(one_of_two_holds_a_lease_and_the_other_gets_it_when_released, setup,
                                            teardown),
            cmocka_unit_test_setup_teardown(a_stale_lease_is_taken_over, setup, teardown),
            cmocka_unit_test_setup_teardown(terms_are_numbered_and_outlive_the_leases, setup, teardown),
            cmocka_unit_test_setup_teardown(a_lease_with_heartbeats_is_not_taken, setup, teardown),
            cmocka_unit_test_setup_teardown(an_owner_releases_only_its_own_leases, setup, teardown),
            cmocka_unit_test_setup_teardown(a_holder_that_was_replaced_releases_its_lease, setup, teardown),
            cmocka_unit_test_setup_teardown(without_the_database_a_lease_is_trusted_only_briefly, setup, teardown),
        };

        return cmocka_run_group_tests_name("leases", tests, NULL, NULL);
}
