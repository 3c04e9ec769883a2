/* The lease: one holder, and another when it dies. */
#include <stdatomic.h>
#include "base/clock.h"
#include "db/lease.h"
#include "db/test_items.h"

static struct test_database t;

static int setup(void **state)
{
        (void)state;
        test_database_new(&t, ITEMS_MIGRATIONS, 1, 2);
        return 0;
}

static int teardown(void **state)
{
        (void)state;
        test_database_free(&t);
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
        int64_t until_us = clock_monotonic_us() + 20000000;

        while (atomic_load(&lost) == 0) {
                assert_true(clock_monotonic_us() < until_us);
                clock_sleep_ms(5);
        }
        wait_held(a, true); /* nobody else wants it */
        assert_int_equal(atomic_load(&lost), 1);
        db_lease_free(a);
}

int run_lease_tests(void)
{
        const struct CMUnitTest tests[] = {
            cmocka_unit_test(a_lease_has_one_holder),
            cmocka_unit_test(a_holder_whose_session_dies_is_told_at_once),
        };

        return cmocka_run_group_tests_name("db: lease", tests, setup, teardown);
}
