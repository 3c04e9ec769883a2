/* The check whether a database responds. */
#include <unistd.h>
#include "base/clock.h"
#include "base/test_loopback.h"
#include "db/pool.h"
#include "db/probe.h"
#include "db/test_items.h"

#define TIMEOUT_MS 20000 /* for what is expected */
#define SHORT_MS   200   /* for what is not */

static const struct db_migration one[] = {{1, "0001_a", "create table a (id int);"}};
static const struct db_migration two[] = {{1, "0001_a", "create table a (id int);"},
                                          {2, "0002_b", "create table b (id int);"}};

static struct test_database t;
static struct db_probe *probe;
static char said[1024];

static int setup(void **state)
{
        (void)state;
        test_database_new(&t, one, 1, 1);
        return 0;
}

static int teardown(void **state)
{
        (void)state;
        db_probe_free(probe);
        probe = NULL;
        test_database_free(&t);
        return 0;
}

static void begin(struct db *db, const struct db_migration *migrations, size_t n)
{
        static struct db_schema schema;

        schema = (struct db_schema){t.name, migrations, n};
        probe = db_probe_new(db, &schema);
}

static sn_status look(int timeout_ms)
{
        struct buf reason;

        buf_init(&reason, sizeof(said));
        sn_status status = db_probe_look(probe, timeout_ms, &reason);

        (void)snprintf(said, sizeof(said), "%s", reason.data != NULL ? reason.data : "");
        buf_free(&reason);
        return status;
}

static const char *sessions(void)
{
        char sql[300];

        (void)snprintf(sql, sizeof(sql),
                       "select coalesce(string_agg(pid::text, ' '), 'none') from pg_stat_activity where datname = '%s'",
                       t.name);
        return test_admin("postgres", sql);
}

static void it_uses_the_connection_of_its_pool(void **state)
{
        char first[300];

        (void)state;
        begin(t.db, one, 1);
        assert_int_equal(look(TIMEOUT_MS), SN_OK);
        (void)snprintf(first, sizeof(first), "%s", sessions());
        assert_string_not_equal(first, "none");
        for (int i = 0; i < 10; i++) {
                assert_int_equal(look(TIMEOUT_MS), SN_OK);
        }
        CLEANUP(rpc_call_free_p) struct rpc_call *c = rpc_call_new_background(&t.service, TIMEOUT_MS);
        CLEANUP(db_end) struct db_tx *tx = NULL;

        assert_int_equal(db_read(c, &tx), SN_OK);
        assert_string_equal(sessions(), first);
}

static void a_missing_migration_is_named_until_it_has_run(void **state)
{
        struct buf error;

        (void)state;
        begin(t.db, two, 2);
        for (int i = 0; i < 3; i++) {
                assert_int_equal(look(TIMEOUT_MS), SN_FAILED_PRECONDITION);
                assert_non_null(strstr(said, "0002_b"));
        }
        buf_init(&error, 1000);
        assert_int_equal(db_provision(test_admin_url(), &(struct db_schema){t.name, two, 2}, "test", &error), SN_OK);
        buf_free(&error);
        assert_int_equal(look(TIMEOUT_MS), SN_OK);
}

/* They lack settings of their role that the migration may have made. */
static void sessions_older_than_a_migration_are_not_used(void **state)
{
        struct buf error;

        (void)state;
        begin(t.db, two, 2);
        {
                CLEANUP(rpc_call_free_p) struct rpc_call *c = rpc_call_new_background(&t.service, TIMEOUT_MS);
                CLEANUP(db_end) struct db_tx *tx = NULL;

                assert_int_equal(db_read(c, &tx), SN_OK);
                assert_int_equal(look(TIMEOUT_MS), SN_FAILED_PRECONDITION);
        }
        assert_int_equal(db_pool_counts(t.db).idle, 2);
        buf_init(&error, 1000);
        assert_int_equal(db_provision(test_admin_url(), &(struct db_schema){t.name, two, 2}, "test", &error), SN_OK);
        buf_free(&error);
        assert_int_equal(look(TIMEOUT_MS), SN_OK);
        assert_int_equal(db_pool_counts(t.db).idle, 0);
        assert_int_equal(look(TIMEOUT_MS), SN_OK);
        assert_int_equal(db_pool_counts(t.db).idle, 1);
}

static void a_lost_connection_is_reopened(void **state)
{
        char sql[200];

        (void)state;
        begin(t.db, one, 1);
        assert_int_equal(look(TIMEOUT_MS), SN_OK);
        (void)snprintf(sql, sizeof(sql),
                       "select pg_terminate_backend(pid, 20000) from pg_stat_activity where datname = '%s'", t.name);
        assert_string_equal(test_admin("postgres", sql), "t");
        assert_int_equal(look(TIMEOUT_MS), SN_OK);
}

static void it_waits_for_no_slot(void **state)
{
        CLEANUP(rpc_call_free_p) struct rpc_call *c = rpc_call_new_background(&t.service, TIMEOUT_MS);
        CLEANUP(db_end) struct db_tx *tx = NULL;

        (void)state;
        begin(t.db, one, 1);
        assert_int_equal(db_read(c, &tx), SN_OK); /* the only one */
        assert_int_equal(look(TIMEOUT_MS), SN_OK);
        assert_int_equal(db_pool_counts(t.db).busy, 1);
}

static void a_silent_server_takes_the_timeout_and_no_longer(void **state)
{
        int port, fd = test_listen(&port); /* it accepts nothing */
        char url[100];

        (void)state;
        (void)snprintf(url, sizeof(url), "postgresql://x@127.0.0.1:%d/x", port);
        struct db *silent = db_new(&(struct db_options){.name = "silent", .url = url, .max_connections = 1});

        begin(silent, one, 1);
        int64_t began_us = clock_monotonic_us();

        assert_int_equal(look(SHORT_MS), SN_UNAVAILABLE);
        assert_true(clock_monotonic_us() - began_us >= SHORT_MS * 1000);
        assert_true(clock_monotonic_us() - began_us < 10000000); /* libpq's own would be 15 s */
        db_probe_free(probe);
        probe = NULL;
        db_free(silent);
        (void)close(fd);
}

static void an_unanswered_query_drops_the_connection(void **state)
{
        struct pg_conn *admin = test_admin_connect(t.name);
        PGresult *locked = PQexec(admin, "begin; lock table schema_migrations");

        (void)state;
        assert_int_equal(PQresultStatus(locked), PGRES_COMMAND_OK);
        PQclear(locked);
        begin(t.db, one, 1);
        assert_int_equal(look(SHORT_MS), SN_UNAVAILABLE);
        PQfinish(admin);
        assert_int_equal(look(TIMEOUT_MS), SN_OK);
}

int run_probe_tests(void)
{
        const struct CMUnitTest tests[] = {
            cmocka_unit_test_setup_teardown(it_uses_the_connection_of_its_pool, setup, teardown),
            cmocka_unit_test_setup_teardown(a_missing_migration_is_named_until_it_has_run, setup, teardown),
            cmocka_unit_test_setup_teardown(sessions_older_than_a_migration_are_not_used, setup, teardown),
            cmocka_unit_test_setup_teardown(a_lost_connection_is_reopened, setup, teardown),
            cmocka_unit_test_setup_teardown(it_waits_for_no_slot, setup, teardown),
            cmocka_unit_test_setup_teardown(a_silent_server_takes_the_timeout_and_no_longer, setup, teardown),
            cmocka_unit_test_setup_teardown(an_unanswered_query_drops_the_connection, setup, teardown),
        };

        return cmocka_run_group_tests_name("probe", tests, NULL, NULL);
}
