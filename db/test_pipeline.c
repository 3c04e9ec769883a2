/* Statements that are sent without waiting: in one round trip with the next one, all of them or none. */
#include <poll.h>
#include <sys/socket.h>
#include "db/connection.h"
#include "db/test_items.h"
#include "db/tx.h"

static struct test_database t;
static struct rpc_call *c;

static int setup(void **state)
{
        (void)state;
        test_database_new(&t, ITEMS_MIGRATIONS, 1, 1); /* one connection: leftovers of a test would affect the next */
        return 0;
}

static int teardown(void **state)
{
        (void)state;
        test_database_free(&t);
        return 0;
}

static int begin_test(void **state)
{
        (void)state;
        c = rpc_call_new_background(&t.service, 10000);
        return 0;
}

static int end_test(void **state)
{
        (void)state;
        rpc_call_free(c);
        return 0;
}

DB_STATEMENT(TEST_LATER_ADD, "test_items", NULL, "insert into items (id, name) values (gen_random_uuid(), $1)");
DB_STATEMENT(TEST_LATER_COUNT, "test_items", NULL, "select count(*) as n from items where name like $1");

static sn_status add(struct db_tx *tx, const char *name)
{
        return db_exec_later(tx, &TEST_LATER_ADD, DB_BINDS(bind_text(name)));
}

static int64_t count(struct db_tx *tx, const char *pattern)
{
        struct db_rows *rows;

        assert_int_equal(SN_OK, db_rows(tx, &TEST_LATER_COUNT, DB_BINDS(bind_text(pattern)), &rows));
        return db_i64(rows, 0, "n");
}

static int64_t stored(const char *pattern)
{
        int64_t n = -1;

        assert_int_equal(SN_OK, DB_READ(c, tx, ((n = count(tx, pattern)), SN_OK)));
        return n;
}

static void they_are_there_after_the_commit(void **state)
{
        CLEANUP(db_end) struct db_tx *tx = NULL;

        (void)state;
        assert_int_equal(SN_OK, db_begin(c, &tx));
        assert_int_equal(SN_OK, add(tx, "c1"));
        assert_int_equal(SN_OK, add(tx, "c2"));
        assert_int_equal(2, tx->n_queued); /* nothing was waited for */
        assert_int_equal(SN_OK, db_commit(c, NULL, &tx));
        assert_int_equal(2, stored("c%"));
}

static void the_next_statement_sees_them(void **state)
{
        CLEANUP(db_end) struct db_tx *tx = NULL;

        (void)state;
        assert_int_equal(SN_OK, db_begin(c, &tx));
        assert_int_equal(SN_OK, add(tx, "n1"));
        assert_int_equal(1, count(tx, "n%"));
        assert_int_equal(0, tx->n_queued);
        assert_int_equal(SN_OK, add(tx, "n2"));
        assert_int_equal(2, count(tx, "n%"));
        assert_int_equal(SN_OK, db_commit(c, NULL, &tx));
        assert_int_equal(2, stored("n%"));
}

static void a_transaction_begins_with_its_first_statement(void **state)
{
        CLEANUP(db_end) struct db_tx *tx = NULL;

        (void)state;
        assert_int_equal(SN_OK, db_begin(c, &tx));
        assert_string_equal("", tx->xid);
        assert_int_equal(0, count(tx, "x%"));
        assert_string_equal(tx->xid, test_admin(t.name, "select max(backend_xid::text) from pg_stat_activity"
                                                        " where datname = current_database()"));
        assert_int_equal(SN_OK, db_commit(c, NULL, &tx));
}

static void a_connection_that_goes_before_the_transaction_has_an_id_leaves_no_doubt(void **state)
{
        CLEANUP(db_end) struct db_tx *tx = NULL;

        (void)state;
        assert_int_equal(SN_OK, db_begin(c, &tx));
        assert_int_equal(SN_OK, add(tx, "k1"));
        (void)shutdown(PQsocket(tx->connection->pg), SHUT_RDWR);
        assert_int_equal(SN_ABORTED, db_commit(c, NULL, &tx));
        assert_true(c->retry);
        db_end(&tx);
        assert_int_equal(0, stored("k%"));
}

static void more_than_a_pipeline_takes_go_in_several(void **state)
{
        CLEANUP(db_end) struct db_tx *tx = NULL;

        (void)state;
        assert_int_equal(SN_OK, db_begin(c, &tx));
        for (int i = 0; i < 3 * DB_QUEUED_MAX + 1; i++) {
                assert_int_equal(SN_OK, add(tx, arena_printf(c->arena, "m%d", i)));
        }
        assert_int_equal(SN_OK, db_commit(c, NULL, &tx));
        assert_int_equal(3 * DB_QUEUED_MAX + 1, stored("m%"));
}

static void one_that_fails_fails_the_commit_and_nothing_is_stored(void **state)
{
        CLEANUP(db_end) struct db_tx *tx = NULL;

        (void)state;
        assert_int_equal(SN_OK, db_begin(c, &tx));
        assert_int_equal(SN_OK, add(tx, "f1"));
        assert_int_equal(SN_OK, add(tx, "f1"));
        assert_int_equal(SN_OK, add(tx, "f2"));
        assert_int_equal(SN_ALREADY_EXISTS, db_commit(c, NULL, &tx));
        assert_string_equal("items_name_key", db_constraint(tx));
        assert_false(c->committed);
        db_end(&tx);
        assert_int_equal(0, stored("f%")); /* over the same connection */
}

/* Until the server has reported an error, which it does before the end of the pipeline. */
static void wait_for_an_error(PGconn *pg)
{
        struct pollfd p = {.fd = PQsocket(pg), .events = POLLIN};

        assert_int_equal(0, PQflush(pg));
        assert_int_equal(1, poll(&p, 1, 20000));
        assert_int_equal(1, PQconsumeInput(pg));
}

static void a_failure_is_certain_though_the_connection_goes_with_the_commit(void **state)
{
        CLEANUP(db_end) struct db_tx *tx = NULL;

        (void)state;
        assert_int_equal(SN_OK, db_begin(c, &tx));
        assert_int_equal(SN_OK, add(tx, "g1"));
        assert_int_equal(SN_OK, add(tx, "g1"));
        wait_for_an_error(tx->connection->pg);
        (void)shutdown(PQsocket(tx->connection->pg), SHUT_RDWR);
        assert_int_equal(SN_ALREADY_EXISTS, db_commit(c, NULL, &tx));
        assert_int_equal(SN_ALREADY_EXISTS, add(tx, "g2")); /* there is no connection to send it on */
        db_end(&tx);
        assert_int_equal(0, stored("g%"));
}

static void one_that_fails_fails_the_next_statement(void **state)
{
        CLEANUP(db_end) struct db_tx *tx = NULL;
        struct db_rows *rows;

        (void)state;
        assert_int_equal(SN_OK, db_begin(c, &tx));
        assert_int_equal(SN_OK, add(tx, "s1"));
        assert_int_equal(SN_OK, add(tx, "s1"));
        assert_int_equal(SN_ALREADY_EXISTS, db_rows(tx, &TEST_LATER_COUNT, DB_BINDS(bind_text("s%")), &rows));
        db_end(&tx);
        assert_int_equal(0, stored("s%"));
}

static void a_transaction_that_is_left_stores_nothing(void **state)
{
        struct db_tx *tx = NULL;

        (void)state;
        assert_int_equal(SN_OK, db_begin(c, &tx));
        assert_int_equal(SN_OK, add(tx, "l1"));
        db_end(&tx);
        assert_int_equal(0, stored("l%"));
}

static void a_read_takes_none(void **state)
{
        CLEANUP(db_end) struct db_tx *tx = NULL;

        (void)state;
        assert_int_equal(SN_OK, db_read(c, &tx));
        assert_int_equal(SN_INTERNAL, add(tx, "r1"));
        db_end(&tx);
        assert_int_equal(0, stored("r%"));
}

DB_STATEMENT(TEST_LATER_NAMED, "test_items", NULL,
             "insert into items (id, name) values (gen_random_uuid(), $1::text), (gen_random_uuid(), $1 || '-b')"
             " returning name");

/* Together with another statement or with COMMIT, and not if something fails before it. */
static void rows_are_there_with_what_follows(void **state)
{
        struct db_rows *rows = NULL;
        struct db_tx *tx;

        (void)state;
        assert_int_equal(SN_OK, db_begin(c, &tx));
        assert_int_equal(SN_OK, db_rows_later(tx, &TEST_LATER_NAMED, DB_BINDS(bind_text("later-1")), &rows));
        assert_int_equal(db_rows_count(rows), 0);
        assert_int_equal(count(tx, "later-1%"), 2);
        assert_int_equal(db_rows_count(rows), 2);
        assert_string_equal(db_text(rows, 1, "name"), "later-1-b");
        assert_int_equal(SN_OK, db_rows_later(tx, &TEST_LATER_NAMED, DB_BINDS(bind_text("later-2")), &rows));
        assert_int_equal(SN_OK, db_commit(c, NULL, &tx));
        assert_int_equal(db_rows_count(rows), 2);
        assert_string_equal(db_text(rows, 0, "name"), "later-2");

        assert_int_equal(SN_OK, db_begin(c, &tx));
        assert_int_equal(SN_OK, db_rows_later(tx, &TEST_LATER_NAMED, DB_BINDS(bind_text("later-1")), &rows));
        assert_int_equal(SN_ALREADY_EXISTS, db_commit(c, NULL, &tx));
        assert_int_equal(db_rows_count(rows), 0);
        db_end(&tx);
}

DB_STATEMENT(TEST_LATER_PID, "test_items", NULL, "select pg_backend_pid() as pid, $1::bigint as n");

/* Also on a connection that was lost before: then all of them are sent again. */
static void statements_of_a_read_go_out_together(void **state)
{
        struct db_rows *rows[3];
        char sql[80];
        int64_t pid = 0;

        (void)state;
        for (int round = 0; round < 3; round++) {
                CLEANUP(db_end) struct db_tx *tx = NULL;

                if (pid != 0 && round == 2) {
                        (void)snprintf(sql, sizeof(sql), "select pg_terminate_backend(%lld)", (long long)pid);
                        assert_string_equal(test_admin(t.name, sql), "t");
                }
                assert_int_equal(SN_OK, db_read(c, &tx));
                for (int i = 0; i < 2; i++) {
                        assert_int_equal(SN_OK, db_rows_later(tx, &TEST_LATER_PID, DB_BINDS(bind_i64(i)), &rows[i]));
                        assert_int_equal(db_rows_count(rows[i]), 0);
                }
                assert_int_equal(SN_OK, db_rows(tx, &TEST_LATER_PID, DB_BINDS(bind_i64(2)), &rows[2]));
                for (int i = 0; i < 3; i++) {
                        assert_int_equal(db_i64(rows[i], 0, "n"), i);
                        assert_int_equal(db_i64(rows[i], 0, "pid"), db_i64(rows[2], 0, "pid"));
                }
                assert_true(round != 2 || db_i64(rows[2], 0, "pid") != pid);
                pid = db_i64(rows[2], 0, "pid");
                assert_int_equal(count(tx, "no such name"), 0); /* now a statement by itself */
        }
}

#define TEST(name) cmocka_unit_test_setup_teardown(name, begin_test, end_test)

int run_pipeline_tests(void)
{
        const struct CMUnitTest tests[] = {
            TEST(they_are_there_after_the_commit),
            TEST(the_next_statement_sees_them),
            TEST(a_transaction_begins_with_its_first_statement),
            TEST(a_connection_that_goes_before_the_transaction_has_an_id_leaves_no_doubt),
            TEST(more_than_a_pipeline_takes_go_in_several),
            TEST(one_that_fails_fails_the_commit_and_nothing_is_stored),
            TEST(a_failure_is_certain_though_the_connection_goes_with_the_commit),
            TEST(one_that_fails_fails_the_next_statement),
            TEST(a_transaction_that_is_left_stores_nothing),
            TEST(a_read_takes_none),
            TEST(rows_are_there_with_what_follows),
            TEST(statements_of_a_read_go_out_together),
        };

        return cmocka_run_group_tests_name("db: pipelines", tests, setup, teardown);
}
