/* The lease: one holder, and another when it dies. */
#include <signal.h>
#include <stdatomic.h>
#include <stdlib.h>
#include "base/clock.h"
#include "db/lease.h"
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

static void note_lost(void *context)
{
        atomic_fetch_add((atomic_int *)context, 1);
}

static void wait_held(const struct db_lease *lease, bool held)
{
        int64_t until_us = clock_monotonic_us() + 20000000;

        while (db_lease_held(lease) != held) {
                assert_true(clock_monotonic_us() < until_us);
                clock_sleep_ms(5);
        }
}

static void wait_lost(atomic_int *lost, int times)
{
        int64_t until_us = clock_monotonic_us() + 20000000;

        while (atomic_load(lost) < times) {
                assert_true(clock_monotonic_us() < until_us);
                clock_sleep_ms(5);
        }
}

/* A lease whose sessions are known by name. */
static struct db_lease *lease_of(const char *application, atomic_int *lost)
{
        char url[400];

        (void)snprintf(url, sizeof(url), "%s&application_name=%s", t.url, application);
        return db_lease_new(url, "note", note_lost, lost);
}

static int holder_pid(const char *application)
{
        char sql[300];

        (void)snprintf(sql, sizeof(sql),
                       "select coalesce(max(pid), 0) from pg_locks join pg_stat_activity using (pid)"
                       " where locktype = 'advisory' and granted and datname = '%s' and application_name = '%s'",
                       t.name, application);
        return (int)strtol(test_admin("postgres", sql), NULL, 10);
}

static void wait_asked(const char *application)
{
        char sql[300];

        (void)snprintf(sql, sizeof(sql),
                       "select count(*) = 1 from pg_stat_activity where datname = '%s' and application_name = '%s'"
                       " and query like '%%pg_try_advisory_lock%%' and state = 'idle'",
                       t.name, application);
        test_wait_for("postgres", sql);
}

/* Ends the sessions of one lease until the other one has the lock. Never do both believe in it. */
static void hand_over(const char *from, const struct db_lease *a, const char *to, const struct db_lease *b)
{
        char sql[200];

        (void)snprintf(sql, sizeof(sql),
                       "select pg_terminate_backend(pid) from pg_stat_activity"
                       " where application_name = '%s'",
                       from);
        while (holder_pid(to) == 0) {
                (void)test_admin("postgres", sql);
                assert_false(db_lease_held(b));
        }
        while (!db_lease_held(b)) {
                assert_false(db_lease_held(a));
                clock_sleep_ms(1);
        }
}

/* The session that has the lock. */
static void terminate_holder(void)
{
        char sql[256];

        (void)snprintf(sql, sizeof(sql),
                       "select pg_terminate_backend(pid) from pg_locks where locktype = 'advisory' and granted"
                       " and database = (select oid from pg_database where datname = '%s')",
                       t.name);
        assert_string_equal(test_admin("postgres", sql), "t");
}

static void a_lease_has_one_holder(void **state)
{
        atomic_int lost = 0;
        char waits[300];

        (void)state;
        struct db_lease *a = db_lease_new(t.url, "note", note_lost, &lost);

        wait_held(a, true);
        struct db_lease *b = db_lease_new(t.url, "note", NULL, NULL);
        struct db_lease *another = db_lease_new(t.url, "other", NULL, NULL);

        wait_held(another, true);
        (void)snprintf(
            waits, sizeof(waits),
            "select count(*) > 2 from pg_stat_activity where datname = '%s' and query like '%%pg_try_advisory_lock%%'"
            " or datname = '%s' and query = 'select true'",
            t.name, t.name);
        test_wait_for("postgres", waits);
        assert_false(db_lease_held(b));
        db_lease_free(a); /* handed over cleanly */
        wait_held(b, true);
        assert_int_equal(atomic_load(&lost), 0);
        db_lease_free(another);
        db_lease_free(b);
}

static void a_holder_whose_session_dies_is_told_at_once(void **state)
{
        atomic_int lost = 0;

        (void)state;
        struct db_lease *a = db_lease_new(t.url, "note", note_lost, &lost);

        wait_held(a, true);
        terminate_holder();
        wait_lost(&lost, 1);
        wait_held(a, true); /* nobody else wants it */
        assert_int_equal(atomic_load(&lost), 1);
        db_lease_free(a);
}

static void who_loses_the_lease_stands_by_while_another_has_it(void **state)
{
        atomic_int lost_a = 0, lost_b = 0;

        (void)state;
        struct db_lease *a = lease_of("lease_a", &lost_a);

        wait_held(a, true);
        struct db_lease *b = lease_of("lease_b", &lost_b);

        wait_asked("lease_b");
        hand_over("lease_a", a, "lease_b", b);
        assert_true(atomic_load(&lost_a) >= 1); /* its caches are gone */
        assert_int_equal(atomic_load(&lost_b), 0);
        wait_asked("lease_a"); /* it is back, and waits */
        assert_false(db_lease_held(a));
        assert_true(db_lease_held(b));
        db_lease_free(b);
        wait_held(a, true);
        db_lease_free(a);
}

/* The server still counts the lock as taken: nobody else can have it before its holder has stopped believing. */
static void a_holder_that_hears_nothing_stops_believing_before_another_can_take_over(void **state)
{
        atomic_int lost_a = 0, lost_b = 0;

        (void)state;
        struct db_lease *a = lease_of("lease_a", &lost_a);

        wait_held(a, true);
        struct db_lease *b = lease_of("lease_b", &lost_b);

        wait_asked("lease_b");
        int pid = holder_pid("lease_a");

        assert_true(pid > 0);
        assert_int_equal(kill(pid, SIGSTOP), 0); /* as if the network swallowed everything */
        test_clock_move(2000000);                /* or as if the process had slept */
        bool still_believed = db_lease_held(a);  /* before its thread has noticed anything */

        wait_lost(&lost_a, 1);
        bool held_by_b = db_lease_held(b);

        assert_int_equal(kill(pid, SIGCONT), 0);
        assert_false(still_believed);
        assert_false(held_by_b);
        hand_over("lease_a", a, "lease_b", b);
        db_lease_free(a);
        db_lease_free(b);
}

int run_lease_tests(void)
{
        const struct CMUnitTest tests[] = {
            cmocka_unit_test(a_lease_has_one_holder),
            cmocka_unit_test(a_holder_whose_session_dies_is_told_at_once),
            cmocka_unit_test(who_loses_the_lease_stands_by_while_another_has_it),
            cmocka_unit_test(a_holder_that_hears_nothing_stops_believing_before_another_can_take_over),
        };

        return cmocka_run_group_tests_name("db: lease", tests, setup, teardown);
}
