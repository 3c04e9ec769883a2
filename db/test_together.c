/* Calls that share a transaction: each keeps its own key, response and outcome. */
#include <pthread.h>
#include "base/clock.h"
#include "base/contract.h"
#include "db/test_items.h"
#include "db/together.h"
#include "sonet/events.rpc.h"

static struct test_database t;
static const struct rpc_method add_item = {.name = "Add", .full_name = "/test/Add", .idempotency = RPC_IDEMPOTENCY_KEY};

static int setup(void **state)
{
        (void)state;
        test_database_new(&t, ITEMS_MIGRATIONS, 1, 4);
        return 0;
}

static int teardown(void **state)
{
        (void)state;
        test_database_free(&t);
        return 0;
}

DB_STATEMENT(TOGETHER_ADD, "test_items", NULL, "insert into items (id, name) values (gen_random_uuid(), $1)");
DB_STATEMENT(TOGETHER_END_SESSION, "test_items", NULL, "select pg_terminate_backend(pg_backend_pid())");

static pthread_mutex_t lock = PTHREAD_MUTEX_INITIALIZER;
static pthread_cond_t opened = PTHREAD_COND_INITIALIZER;
static bool is_open;              /* the gate at which a transaction with "holds" waits */
static bool ends_session;         /* of a transaction of several calls */
static size_t sizes[32], n_sizes; /* of the transactions, in order */

static void pass_gate(void)
{
        (void)pthread_mutex_lock(&lock);
        while (!is_open) {
                (void)pthread_cond_wait(&opened, &lock);
        }
        (void)pthread_mutex_unlock(&lock);
}

static void note_size(size_t n)
{
        (void)pthread_mutex_lock(&lock);
        sizes[n_sizes++] = n;
        (void)pthread_mutex_unlock(&lock);
}

static sn_status add_items(struct db_tx *tx, void *const *parts, size_t n)
{
        if (strncmp(parts[0], "holds", 5) == 0) {
                pass_gate();
        } else {
                note_size(n);
        }
        for (size_t i = 0; i < n; i++) {
                TRY(db_exec_later(tx, &TOGETHER_ADD, DB_BINDS(bind_text(parts[i]))));
        }
        return ends_session && n > 1 ? db_exec(tx, &TOGETHER_END_SESSION, DB_NO_BINDS, NULL) : SN_OK;
}

static struct db_together together = DB_TOGETHER(add_items);

struct writer {
        char name[32];
        const char *key;
        int64_t answer;
        int deadline_ms; /* 0: ten seconds */
        sn_status status;
        struct rpc_call *c;
        pthread_t thread;
};

static void *run_writer(void *context)
{
        struct writer *w = context;
        Sonet__Events__ReadOutboxResponse out = SONET__EVENTS__READ_OUTBOX_RESPONSE__INIT;

        w->c->method = &add_item;
        w->c->actor = ID_A;
        w->c->idempotency_key = w->key;
        out.head = w->answer;
        w->status = db_write_together(&together, w->c, w->name, &out.base);
        return NULL;
}

static int waiting(void)
{
        (void)pthread_mutex_lock(&together.lock);
        int n = together.waiting;

        (void)pthread_mutex_unlock(&together.lock);
        return n;
}

static int running(void)
{
        (void)pthread_mutex_lock(&together.lock);
        int n = together.running;

        (void)pthread_mutex_unlock(&together.lock);
        return n;
}

static void wait_until(int (*read)(void), int n)
{
        for (int64_t until_us = clock_monotonic_us() + 10000000; read() != n;) {
                assert_true(clock_monotonic_us() < until_us);
                clock_sleep_ms(1);
        }
}

static void start(struct writer *w)
{
        w->c = rpc_call_new_background(&t.service, w->deadline_ms > 0 ? w->deadline_ms : 10000);
        assert_int_equal(pthread_create(&w->thread, NULL, run_writer, w), 0);
}

static struct writer holders[2];

/* Both places are taken from now on. */
static void shut_gate(void)
{
        static int n;

        is_open = false;
        n_sizes = 0;
        for (int i = 0; i < 2; i++) {
                holders[i] = (struct writer){0};
                (void)snprintf(holders[i].name, sizeof(holders[i].name), "holds %d", n++);
                start(&holders[i]);
                wait_until(running, i + 1);
        }
}

static void end_all(struct writer *writers, size_t n)
{
        for (size_t i = 0; i < n; i++) {
                (void)pthread_join(writers[i].thread, NULL);
        }
}

static void let_pass(void)
{
        (void)pthread_mutex_lock(&lock);
        is_open = true;
        (void)pthread_cond_broadcast(&opened);
        (void)pthread_mutex_unlock(&lock);
}

static void open_gate(void)
{
        let_pass();
        end_all(holders, 2);
        for (int i = 0; i < 2; i++) {
                assert_int_equal(holders[i].status, SN_OK);
                rpc_call_free(holders[i].c);
        }
}

/* All wait when the gate opens, in this order. */
static void run_all(struct writer *writers, size_t n)
{
        shut_gate();
        for (size_t i = 0; i < n; i++) {
                start(&writers[i]);
                wait_until(waiting, (int)i + 1);
        }
        open_gate();
        end_all(writers, n);
}

static void free_all(struct writer *writers, size_t n)
{
        for (size_t i = 0; i < n; i++) {
                assert_int_equal(writers[i].c->open_transactions, 0);
                rpc_call_free(writers[i].c);
        }
}

static const char *count_like(const char *pattern)
{
        char sql[100];

        (void)snprintf(sql, sizeof(sql), "select count(*) from items where name like '%s'", pattern);
        return test_admin(t.name, sql);
}

static void those_that_wait_share_one_transaction(void **state)
{
        struct writer writers[] = {{.name = "many a"}, {.name = "many b"}, {.name = "many c"}, {.name = "many d"}};

        (void)state;
        run_all(writers, 4);
        assert_int_equal(n_sizes, 1);
        assert_int_equal(sizes[0], 4);
        for (int i = 0; i < 4; i++) {
                assert_int_equal(writers[i].status, SN_OK);
                assert_true(writers[i].c->committed);
        }
        assert_string_equal(count_like("many %"), "4");
        assert_string_equal(test_admin(t.name, "select count(distinct xmin::text) from items where name like 'many %'"),
                            "1");
        free_all(writers, 4);
}

static void others_do_not_wait_until_one_that_takes_long_has_ended(void **state)
{
        struct writer holder = {.name = "holds long"}, writers[] = {{.name = "beside a"}, {.name = "beside b"}};

        (void)state;
        is_open = false;
        n_sizes = 0;
        start(&holder);
        wait_until(running, 1);
        for (int i = 0; i < 2; i++) {
                start(&writers[i]);
        }
        end_all(writers, 2);
        assert_int_equal(running(), 1);
        assert_string_equal(count_like("beside %"), "2");
        let_pass();
        end_all(&holder, 1);
        assert_int_equal(holder.status, SN_OK);
        free_all(writers, 2);
        free_all(&holder, 1);
}

static void one_that_fails_fails_no_other(void **state)
{
        struct writer writers[] = {{.name = "apart a"}, {.name = "apart b"}, {.name = "apart b"}, {.name = "apart c"}};

        (void)state;
        run_all(writers, 4);
        assert_int_equal(sizes[0], 4);
        assert_int_equal(n_sizes, 5); /* all again, each on its own */
        assert_int_equal(writers[0].status, SN_OK);
        assert_int_equal(writers[3].status, SN_OK);
        assert_int_equal((writers[1].status == SN_OK) + (writers[2].status == SN_OK), 1);
        assert_int_equal((writers[1].status == SN_ALREADY_EXISTS) + (writers[2].status == SN_ALREADY_EXISTS), 1);
        assert_string_equal(count_like("apart %"), "3");
        free_all(writers, 4);
}

static void all_write_again_when_their_connection_is_lost(void **state)
{
        struct writer writers[] = {{.name = "lost a"}, {.name = "lost b", .key = "lost"}, {.name = "lost c"}};

        (void)state;
        ends_session = true;
        run_all(writers, 3);
        ends_session = false;
        for (int i = 0; i < 3; i++) {
                assert_int_equal(writers[i].status, SN_OK);
                assert_null(writers[i].c->problem.detail);
        }
        assert_int_equal(n_sizes, 4);
        assert_string_equal(count_like("lost %"), "3");
        free_all(writers, 3);
}

static int64_t replayed(const struct writer *w)
{
        Sonet__Events__ReadOutboxResponse *out =
            sonet__events__read_outbox_response__unpack(NULL, w->c->replayed_len, w->c->replayed);
        int64_t head = out->head;

        sonet__events__read_outbox_response__free_unpacked(out, NULL);
        return head;
}

static void each_has_its_own_key_and_response(void **state)
{
        struct writer before[] = {{.name = "key 0", .key = "together 0", .answer = 70}};
        struct writer writers[] = {{.name = "key 1", .key = "together 1", .answer = 71},
                                   {.name = "key 0 again", .key = "together 0", .answer = 73},
                                   {.name = "key 2", .key = "together 2", .answer = 74}};
        struct writer again[] = {{.name = "key 1 again", .key = "together 1", .answer = 72}};

        (void)state;
        run_all(before, 1);
        assert_int_equal(before[0].status, SN_OK);
        run_all(writers, 3);
        assert_int_equal(sizes[0], 2); /* the second has its response */
        assert_int_equal(n_sizes, 1);
        assert_int_equal(writers[0].status, SN_OK);
        assert_int_equal(writers[1].status, SN_REPLAYED);
        assert_int_equal(replayed(&writers[1]), 70);
        assert_false(writers[1].c->committed);
        assert_int_equal(writers[2].status, SN_OK);
        run_all(again, 1);
        assert_int_equal(again[0].status, SN_REPLAYED);
        assert_int_equal(replayed(&again[0]), 71);
        assert_string_equal(count_like("key %"), "3");
        free_all(before, 1);
        free_all(writers, 3);
        free_all(again, 1);
}

/* They are in different transactions: the one that is second finds the key busy, or the response. */
static void of_two_with_the_same_key_one_is_written(void **state)
{
        struct writer writers[] = {{.name = "same a", .key = "same"}, {.name = "same b", .key = "same"}};
        int n = 0, others = 0;

        (void)state;
        run_all(writers, 2);
        for (int i = 0; i < 2; i++) {
                n += writers[i].status == SN_OK;
                others += writers[i].status == SN_REPLAYED || writers[i].status == SN_ABORTED;
        }
        assert_int_equal(n, 1);
        assert_int_equal(others, 1);
        assert_string_equal(count_like("same %"), "1");
        free_all(writers, 2);
}

static void one_whose_deadline_passes_while_it_waits_writes_nothing(void **state)
{
        struct writer late = {.name = "late", .deadline_ms = 50}, other = {.name = "in time"};

        (void)state;
        shut_gate();
        start(&late);
        wait_until(waiting, 1);
        start(&other);
        end_all(&late, 1);
        assert_int_equal(late.status, SN_DEADLINE_EXCEEDED);
        open_gate();
        end_all(&other, 1);
        assert_int_equal(other.status, SN_OK);
        assert_string_equal(count_like("late"), "0");
        assert_string_equal(count_like("in time"), "1");
        free_all(&late, 1);
        free_all(&other, 1);
}

int run_together_tests(void)
{
        const struct CMUnitTest tests[] = {
            cmocka_unit_test(those_that_wait_share_one_transaction),
            cmocka_unit_test(others_do_not_wait_until_one_that_takes_long_has_ended),
            cmocka_unit_test(one_that_fails_fails_no_other),
            cmocka_unit_test(all_write_again_when_their_connection_is_lost),
            cmocka_unit_test(each_has_its_own_key_and_response),
            cmocka_unit_test(of_two_with_the_same_key_one_is_written),
            cmocka_unit_test(one_whose_deadline_passes_while_it_waits_writes_nothing),
        };

        return cmocka_run_group_tests_name("db: writing together", tests, setup, teardown);
}
