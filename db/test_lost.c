/* Lost connections: while idle, in a transaction, at COMMIT, with the whole server. */
#include <pthread.h>
#include <signal.h>
#include <stdlib.h>
#include <sys/socket.h>
#include "base/clock.h"
#include "base/contract.h"
#include "db/test_items.h"
#include "db/tx.h"

static struct test_database t;
static const struct rpc_method create_item = {
    .name = "Create", .full_name = "/test/Create", .idempotency = RPC_IDEMPOTENCY_KEY};

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

DB_STATEMENT(TEST_ADD_ITEM, "test_items", NULL, "insert into items (id, name) values (gen_random_uuid(), $1)");
DB_STATEMENT(TEST_COUNT_ITEMS, "test_items", NULL, "select count(*) as n from items");

static void terminate_all(void)
{
        char sql[200];

        (void)snprintf(sql, sizeof(sql),
                       "select count(pg_terminate_backend(pid)) from pg_stat_activity where datname = '%s'", t.name);
        (void)test_admin("postgres", sql);
        (void)snprintf(sql, sizeof(sql), "select count(*) = 0 from pg_stat_activity where datname = '%s'", t.name);
        test_wait_for("postgres", sql);
}

static void a_connection_lost_while_idle_is_replaced_transparently(void **state)
{
        CLEANUP(rpc_call_free_p) struct rpc_call *c = rpc_call_new_background(&t.service, 10000);
        struct db_tx *tx = NULL;
        struct db_rows *rows;

        (void)state;
        for (int round = 0; round < 2; round++) {
                assert_int_equal(db_read(c, &tx), SN_OK);
                assert_int_equal(db_rows(tx, &TEST_COUNT_ITEMS, DB_NO_BINDS, &rows), SN_OK);
                db_end(&tx);
                terminate_all();
        }
        assert_int_equal(db_begin(c, &tx), SN_OK);
        assert_int_equal(db_exec(tx, &TEST_ADD_ITEM, DB_BINDS(bind_text("idle")), NULL), SN_OK);
        assert_int_equal(db_commit(c, NULL, &tx), SN_OK);
}

static void a_transaction_whose_connection_is_lost_must_run_again(void **state)
{
        CLEANUP(rpc_call_free_p) struct rpc_call *c = rpc_call_new_background(&t.service, 10000);
        CLEANUP(db_end) struct db_tx *tx = NULL;

        (void)state;
        assert_int_equal(db_begin(c, &tx), SN_OK);
        assert_int_equal(db_exec(tx, &TEST_ADD_ITEM, DB_BINDS(bind_text("gone")), NULL), SN_OK);
        terminate_all();
        assert_int_equal(db_exec(tx, &TEST_ADD_ITEM, DB_BINDS(bind_text("gone2")), NULL), SN_ABORTED);
        assert_true(c->retry);
        assert_int_equal(db_commit(c, NULL, &tx), SN_ABORTED);
        db_end(&tx);
        assert_string_equal(test_admin(t.name, "select count(*) from items where name like 'gone%'"), "0");
}

/* A handler whose COMMIT waits for advisory lock 42, held by the test. */
struct committer {
        const char *name;
        const char *key;
        bool later; /* the item is sent with the COMMIT */
        int fd;     /* of its connection */
        char pid[16];
        sn_status status;
        bool retry;
        char code[40];
        int commits, ends;
        pthread_mutex_t lock;
};

static void count(void *context)
{
        ++*(int *)context;
}

static sn_status add(struct rpc_call *c, struct committer *m)
{
        CLEANUP(db_end) struct db_tx *tx = NULL;

        TRY(db_begin(c, &tx));
        db_on_commit(tx, count, &m->commits);
        db_on_end(tx, count, &m->ends);
        TRY(m->later ? db_exec_later(tx, &TEST_ADD_ITEM, DB_BINDS(bind_text(m->name)))
                     : db_exec(tx, &TEST_ADD_ITEM, DB_BINDS(bind_text(m->name)), NULL));
        (void)pthread_mutex_lock(&m->lock);
        m->fd = PQsocket(tx->connection->pg);
        (void)snprintf(m->pid, sizeof(m->pid), "%d", PQbackendPID(tx->connection->pg));
        (void)pthread_mutex_unlock(&m->lock);
        return db_commit(c, NULL, &tx);
}

static void *run_committer(void *context)
{
        struct committer *m = context;
        struct rpc_call *c = rpc_call_new_background(&t.service, 15000);

        if (m->key != NULL) {
                c->method = &create_item;
                c->idempotency_key = m->key;
        }
        m->status = add(c, m);
        m->retry = c->retry;
        (void)snprintf(m->code, sizeof(m->code), "%s", c->problem.code != NULL ? c->problem.code : "");
        rpc_call_free(c);
        return NULL;
}

static void start(struct committer *m, pthread_t *thread)
{
        (void)pthread_mutex_init(&m->lock, NULL);
        (void)pthread_create(thread, NULL, run_committer, m);
        test_wait_until_committing(t.name);
}

static void a_commit_aborted_by_the_server_must_run_again(void **state)
{
        struct committer m = {.name = "slow-aborted"};
        PGconn *holder = test_hold_commits(t.name);
        pthread_t thread;
        char sql[64];

        (void)state;
        start(&m, &thread);
        (void)snprintf(sql, sizeof(sql), "select pg_terminate_backend(%s)", m.pid);
        (void)test_admin("postgres", sql);
        (void)pthread_join(thread, NULL);
        PQfinish(holder);
        assert_int_equal(m.status, SN_ABORTED);
        assert_true(m.retry);
        assert_int_equal(m.commits, 0);
        assert_int_equal(m.ends, 1);
        assert_string_equal(test_admin(t.name, "select count(*) from items where name = 'slow-aborted'"), "0");
}

/* The network fails, the server continues: returns when the outcome was queried, and is "in progress". */
static void cut_off(const struct committer *m)
{
        char sql[200];

        (void)shutdown(m->fd, SHUT_RDWR);
        (void)snprintf(
            sql, sizeof(sql),
            "select count(*) > 0 from pg_stat_activity where datname = '%s' and query like '%%pg_xact_status%%'",
            t.name);
        test_wait_for("postgres", sql);
}

static void a_commit_whose_answer_is_lost_is_found_to_be_committed(void **state)
{
        struct committer m = {.name = "slow-committed"};
        PGconn *holder = test_hold_commits(t.name);
        pthread_t thread;

        (void)state;
        start(&m, &thread);
        cut_off(&m);
        PQfinish(holder);
        (void)pthread_join(thread, NULL);
        assert_int_equal(m.status, SN_OK);
        assert_int_equal(m.commits, 1);
        assert_int_equal(m.ends, 1);
        assert_string_equal(test_admin(t.name, "select count(*) from items where name = 'slow-committed'"), "1");
}

static void a_lost_commit_sent_with_its_statements_is_also_found(void **state)
{
        struct committer m = {.name = "slow-with-commit", .later = true};
        PGconn *holder = test_hold_commits(t.name);
        pthread_t thread;

        (void)state;
        start(&m, &thread);
        cut_off(&m);
        PQfinish(holder);
        (void)pthread_join(thread, NULL);
        assert_int_equal(m.status, SN_OK);
        assert_int_equal(m.commits, 1);
        assert_string_equal(test_admin(t.name, "select count(*) from items where name = 'slow-with-commit'"), "1");
}

/* An open transaction that wrote the name: others that write it wait. */
static PGconn *hold_name(const char *name)
{
        PGconn *pg = test_admin_connect(t.name);
        char sql[128];

        (void)snprintf(sql, sizeof(sql), "begin; insert into items (id, name) values (gen_random_uuid(), '%s')", name);
        PQclear(PQexec(pg, sql));
        return pg;
}

/* Its item waits for that name, and COMMIT waits after the item. */
static void start_behind(struct committer *m, pthread_t *thread)
{
        char sql[200];

        (void)pthread_mutex_init(&m->lock, NULL);
        (void)pthread_create(thread, NULL, run_committer, m);
        (void)snprintf(sql, sizeof(sql),
                       "select count(*) = 1 from pg_stat_activity where datname = '%s' and wait_event_type = 'Lock'",
                       t.name);
        test_wait_for("postgres", sql);
        for (bool known = false; !known; clock_sleep_ms(1)) {
                (void)pthread_mutex_lock(&m->lock);
                known = m->pid[0] != '\0';
                (void)pthread_mutex_unlock(&m->lock);
        }
}

static void set_connections_allowed(bool allowed)
{
        char sql[128];

        (void)snprintf(sql, sizeof(sql), "alter database %s allow_connections %s", t.name, allowed ? "true" : "false");
        (void)test_admin("postgres", sql);
}

/* The server ended the session before COMMIT was reached: there is nothing to query. */
static void a_session_terminated_before_commit_must_run_again(void **state)
{
        struct committer m = {.name = "ended", .later = true};
        PGconn *holder = hold_name(m.name);
        pthread_t thread;
        char sql[64];

        (void)state;
        start_behind(&m, &thread);
        set_connections_allowed(false);
        (void)snprintf(sql, sizeof(sql), "select pg_terminate_backend(%s)", m.pid);
        (void)test_admin("postgres", sql);
        (void)pthread_join(thread, NULL);
        set_connections_allowed(true);
        PQfinish(holder);
        assert_int_equal(m.status, SN_ABORTED);
        assert_true(m.retry);
        assert_int_equal(m.commits, 0);
        assert_int_equal(m.ends, 1);
}

static void a_statement_before_commit_waits_only_until_the_deadline(void **state)
{
        CLEANUP(rpc_call_free_p) struct rpc_call *c = rpc_call_new_background(&t.service, 15000);
        CLEANUP(db_end) struct db_tx *tx = NULL;
        PGconn *holder = hold_name("waits");

        (void)state;
        assert_int_equal(db_begin(c, &tx), SN_OK);
        PQclear(PQexec(tx->connection->pg, "set local lock_timeout = 0; set local statement_timeout = 0"));
        assert_int_equal(db_exec_later(tx, &TEST_ADD_ITEM, DB_BINDS(bind_text("waits"))), SN_OK);
        c->deadline_us = clock_monotonic_us() + 300000;
        assert_int_equal(db_commit(c, NULL, &tx), SN_DEADLINE_EXCEEDED);
        db_end(&tx);
        PQfinish(holder);
        assert_string_equal(test_admin(t.name, "select count(*) from items where name = 'waits'"), "0");
}

/* Two cases: the transaction whose outcome could not be queried in time commits after all, or does not. */
static void leave_it_open(struct committer *m, bool happens)
{
        PGconn *holder = test_hold_commits(t.name);
        pthread_t thread;
        char sql[100];

        start(m, &thread);
        cut_off(m);
        test_clock_move(60000000); /* past every deadline */
        (void)pthread_join(thread, NULL);
        if (!happens) {
                (void)snprintf(sql, sizeof(sql), "select pg_terminate_backend(%s)", m->pid);
                (void)test_admin("postgres", sql);
        }
        PQfinish(holder);
        (void)snprintf(sql, sizeof(sql), "select count(*) = 0 from pg_stat_activity where pid = %s", m->pid);
        test_wait_for("postgres", sql);
}

/* It may have committed: the caller is told so, and nothing is retried automatically. */
static void assert_unknown(const struct committer *m)
{
        assert_int_equal(m->status, SN_UNAVAILABLE);
        assert_string_equal(m->code, "outcome_unknown");
        assert_false(m->retry);
        assert_int_equal(m->commits, 0);
        assert_int_equal(m->ends, 1); /* cached rows are dropped */
}

static void an_undeterminable_outcome_is_reported_as_unknown(void **state)
{
        (void)state;
        for (int happens = 0; happens < 2; happens++) {
                struct committer m = {.name = happens ? "slow-unknown-yes" : "slow-unknown-no"};

                leave_it_open(&m, happens);
                assert_unknown(&m);
        }
        assert_string_equal(
            test_admin(t.name, "select string_agg(name, ' ') from items where name like 'slow-unknown%'"),
            "slow-unknown-yes");
}

static void after_an_unknown_outcome_retrying_with_the_key_applies_it_once(void **state)
{
        (void)state;
        for (int happens = 0; happens < 2; happens++) {
                struct committer m = {.name = happens ? "slow-keyed-yes" : "slow-keyed-no",
                                      .key = happens ? "yes" : "no"};

                leave_it_open(&m, happens);
                assert_unknown(&m);
                (void)run_committer(&m); /* like the client */
                assert_int_equal(m.status, happens ? SN_REPLAYED : SN_OK);
        }
        assert_string_equal(test_admin(t.name, "select count(*) from items where name like 'slow-keyed%'"), "2");
}

static void a_crash_of_the_server_at_commit_is_resolved_by_the_key(void **state)
{
        struct committer m = {.name = "slow-crashed", .key = "crash"};
        PGconn *holder = test_hold_commits(t.name);
        pthread_t thread;

        (void)state;
        start(&m, &thread);
        assert_int_equal(kill((pid_t)strtol(m.pid, NULL, 10), SIGKILL), 0); /* the postmaster restarts everything */
        (void)pthread_join(thread, NULL);
        PQfinish(holder);
        assert_int_equal(m.status, SN_ABORTED);
        assert_true(m.retry);
        (void)run_committer(&m); /* like the dispatcher */
        assert_int_equal(m.status, SN_OK);
        assert_string_equal(test_admin(t.name, "select count(*) from items where name = 'slow-crashed'"), "1");
        (void)run_committer(&m);
        assert_int_equal(m.status, SN_REPLAYED);
}

int run_lost_tests(void)
{
        const struct CMUnitTest tests[] = {
            cmocka_unit_test(a_connection_lost_while_idle_is_replaced_transparently),
            cmocka_unit_test(a_transaction_whose_connection_is_lost_must_run_again),
            cmocka_unit_test(a_commit_aborted_by_the_server_must_run_again),
            cmocka_unit_test(a_commit_whose_answer_is_lost_is_found_to_be_committed),
            cmocka_unit_test(a_lost_commit_sent_with_its_statements_is_also_found),
            cmocka_unit_test(a_session_terminated_before_commit_must_run_again),
            cmocka_unit_test(a_statement_before_commit_waits_only_until_the_deadline),
            cmocka_unit_test(an_undeterminable_outcome_is_reported_as_unknown),
            cmocka_unit_test(after_an_unknown_outcome_retrying_with_the_key_applies_it_once),
            cmocka_unit_test(a_crash_of_the_server_at_commit_is_resolved_by_the_key),
        };

        return cmocka_run_group_tests_name("db: lost connections", tests, setup, teardown);
}
