/* The pool: limits, order, idle connections, deadlines. */
#include <pthread.h>
#include <stdatomic.h>
#include "base/clock.h"
#include "db/pool.h"
#include "db/test_items.h"

static struct test_database t, other;

static int setup(void **state)
{
        (void)state;
        test_database_new(&t, ITEMS_MIGRATIONS, 1, 2);
        test_database_new(&other, ITEMS_MIGRATIONS, 1, 2);
        return 0;
}

static int teardown(void **state)
{
        (void)state;
        test_database_free(&t);
        test_database_free(&other);
        return 0;
}

DB_STATEMENT(TEST_ONE, "test_items", NULL, "select 1 as one");
DB_STATEMENT(TEST_SLEEP, "test_items", NULL, "select pg_sleep(60)::text");

static void a_full_pool_keeps_callers_waiting_until_their_deadline(void **state)
{
        CLEANUP(rpc_call_free_p) struct rpc_call *a = rpc_call_new_background(&t.service, 10000);
        CLEANUP(rpc_call_free_p) struct rpc_call *b = rpc_call_new_background(&t.service, 10000);
        CLEANUP(rpc_call_free_p) struct rpc_call *c = rpc_call_new_background(&t.service, 50);
        CLEANUP(db_end) struct db_tx *tx_a = NULL;
        CLEANUP(db_end) struct db_tx *tx_b = NULL;
        CLEANUP(db_end) struct db_tx *tx_c = NULL;

        (void)state;
        assert_int_equal(db_read(a, &tx_a), SN_OK);
        assert_int_equal(db_read(b, &tx_b), SN_OK);
        assert_int_equal(db_read(c, &tx_c), SN_UNAVAILABLE);
        assert_null(tx_c);
        assert_true(rpc_call_expired(c));
        assert_int_equal(db_pool_counts(t.db).busy, 2);
}

static void the_limit_of_a_server_spans_its_databases(void **state)
{
        CLEANUP(rpc_call_free_p) struct rpc_call *a = rpc_call_new_background(&t.service, 10000);
        CLEANUP(rpc_call_free_p) struct rpc_call *b = rpc_call_new_background(&other.service, 50);
        CLEANUP(db_end) struct db_tx *tx_a = NULL;
        CLEANUP(db_end) struct db_tx *tx_b = NULL;

        (void)state;
        db_set_server_limit(1);
        assert_int_equal(db_read(a, &tx_a), SN_OK);
        assert_int_equal(db_read(b, &tx_b), SN_UNAVAILABLE);
        db_set_server_limit(4);
        b->deadline_us = clock_monotonic_us() + 10000000;
        assert_int_equal(db_read(b, &tx_b), SN_OK);
}

struct crowd {
        atomic_int inside, most, served;
};

static void *visit(void *context)
{
        struct crowd *crowd = context;

        for (int i = 0; i < 20; i++) {
                struct rpc_call *c = rpc_call_new_background(&t.service, 20000);
                struct db_tx *tx = NULL;
                struct db_rows *rows;

                if (db_read(c, &tx) == SN_OK) {
                        int now = atomic_fetch_add(&crowd->inside, 1) + 1;
                        int most = atomic_load(&crowd->most);

                        while (now > most && !atomic_compare_exchange_weak(&crowd->most, &most, now)) {
                        }
                        if (db_rows(tx, &TEST_ONE, DB_NO_BINDS, &rows) == SN_OK) {
                                atomic_fetch_add(&crowd->served, 1);
                        }
                        atomic_fetch_sub(&crowd->inside, 1);
                }
                db_end(&tx);
                rpc_call_free(c);
        }
        return NULL;
}

static void many_threads_share_few_connections(void **state)
{
        struct crowd crowd = {0};
        pthread_t threads[8];

        (void)state;
        for (int i = 0; i < 8; i++) {
                (void)pthread_create(&threads[i], NULL, visit, &crowd);
        }
        for (int i = 0; i < 8; i++) {
                (void)pthread_join(threads[i], NULL);
        }
        assert_int_equal(atomic_load(&crowd.served), 160);
        assert_true(atomic_load(&crowd.most) <= 2);
        assert_int_equal(db_pool_counts(t.db).busy, 0);
        assert_true(db_pool_counts(t.db).idle <= 2);
}

static void idle_connections_are_closed(void **state)
{
        CLEANUP(rpc_call_free_p) struct rpc_call *a = rpc_call_new_background(&t.service, 10000);
        struct db_tx *tx = NULL;
        char none[200];

        (void)state;
        assert_int_equal(db_read(a, &tx), SN_OK);
        db_end(&tx);
        assert_true(db_pool_counts(t.db).idle > 0);
        db_set_idle_ms(20);
        (void)snprintf(none, sizeof(none), "select count(*) = 0 from pg_stat_activity where datname = '%s'", t.name);
        test_wait_for("postgres", none);
        assert_int_equal(db_pool_counts(t.db).idle, 0);
        db_set_idle_ms(60000);
}

static void a_deadline_cancels_the_statement_on_the_server(void **state)
{
        CLEANUP(rpc_call_free_p) struct rpc_call *c = rpc_call_new_background(&t.service, 2000);
        CLEANUP(db_end) struct db_tx *tx = NULL;
        struct db_rows *rows;
        char none[200];

        (void)state;
        assert_int_equal(db_read(c, &tx), SN_OK);
        assert_int_equal(db_rows(tx, &TEST_SLEEP, DB_NO_BINDS, &rows), SN_DEADLINE_EXCEEDED);
        (void)snprintf(none, sizeof(none),
                       "select count(*) = 0 from pg_stat_activity where datname = '%s' and query like '%%pg_sleep%%'",
                       t.name);
        test_wait_for("postgres", none); /* statement_timeout would take 5 s, pg_sleep 60 */
        assert_int_equal(db_rows(tx, &TEST_ONE, DB_NO_BINDS, &rows), SN_DEADLINE_EXCEEDED);
}

static void a_statement_over_its_time_limit_is_a_deadline(void **state)
{
        CLEANUP(rpc_call_free_p) struct rpc_call *c = rpc_call_new_background(&t.service, 60000);
        CLEANUP(db_end) struct db_tx *tx = NULL;
        struct db_rows *rows;

        (void)state;
        assert_int_equal(db_read(c, &tx), SN_OK);
        assert_int_equal(db_rows(tx, &TEST_SLEEP, DB_NO_BINDS, &rows), SN_DEADLINE_EXCEEDED); /* by ALTER ROLE … SET */
        assert_int_equal(db_rows(tx, &TEST_ONE, DB_NO_BINDS, &rows), SN_OK); /* the connection is still usable */
}

static void ping_reports_whether_the_server_responds(void **state)
{
        struct db *nowhere = db_new(
            &(struct db_options){.name = "nowhere", .url = "postgresql://x@127.0.0.1:1/x", .max_connections = 1});

        (void)state;
        assert_int_equal(db_ping(t.db, 5000), SN_OK);
        assert_int_equal(db_ping(nowhere, 100), SN_UNAVAILABLE);
        assert_int_equal(db_pool_counts(nowhere).busy, 0);
        db_free(nowhere);
}

int run_pool_tests(void)
{
        const struct CMUnitTest tests[] = {
            cmocka_unit_test(a_full_pool_keeps_callers_waiting_until_their_deadline),
            cmocka_unit_test(the_limit_of_a_server_spans_its_databases),
            cmocka_unit_test(many_threads_share_few_connections),
            cmocka_unit_test(idle_connections_are_closed),
            cmocka_unit_test(a_deadline_cancels_the_statement_on_the_server),
            cmocka_unit_test(a_statement_over_its_time_limit_is_a_deadline),
            cmocka_unit_test(ping_reports_whether_the_server_responds),
        };

        return cmocka_run_group_tests_name("db: pool", tests, setup, teardown);
}
