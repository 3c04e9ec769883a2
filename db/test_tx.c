/* Transactions: idempotency keys, retries, constraints, hooks. */
#include <pthread.h>
#include "base/contract.h"
#include "db/test_items.h"
#include "sonet/events.rpc.h"

static struct test_database t;
static const struct rpc_method create_item = {
    .name = "Create", .full_name = "/test/Create", .idempotency = RPC_IDEMPOTENCY_KEY};

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

static struct rpc_call *keyed_call(const char *key, uint8_t body)
{
        struct rpc_call *c = rpc_call_new_background(&t.service, 10000);

        c->method = &create_item;
        c->actor = ID_A;
        c->idempotency_key = key;
        memset(c->body_hash, body, sizeof(c->body_hash));
        return c;
}

DB_STATEMENT(TEST_ADD, "test_items", NULL, "insert into items (id, name) values (gen_random_uuid(), $1)");
DB_STATEMENT(TEST_RENAME, "test_items", NULL, "update items set n = coalesce(n, 0) + 1 where name = $1");

/* The handler of these tests: adds an item, returns a message. */
static sn_status handle(struct rpc_call *c, const char *name, int64_t answer)
{
        CLEANUP(db_end) struct db_tx *tx = NULL;
        Sonet__Events__ReadOutboxResponse out = SONET__EVENTS__READ_OUTBOX_RESPONSE__INIT;

        TRY(db_begin(c, &tx));
        TRY(db_exec(tx, &TEST_ADD, DB_BINDS(bind_text(name)), NULL));
        out.head = answer;
        return db_commit(c, &out.base, &tx);
}

static void a_repeated_key_returns_its_response_without_effect(void **state)
{
        CLEANUP(rpc_call_free_p) struct rpc_call *first = keyed_call("k1", 1);
        CLEANUP(rpc_call_free_p) struct rpc_call *second = keyed_call("k1", 1);

        (void)state;
        assert_int_equal(handle(first, "once", 77), SN_OK);
        assert_int_equal(handle(second, "once", 78), SN_REPLAYED);
        Sonet__Events__ReadOutboxResponse *out =
            sonet__events__read_outbox_response__unpack(NULL, second->replayed_len, second->replayed);

        assert_int_equal(out->head, 77);
        sonet__events__read_outbox_response__free_unpacked(out, NULL);
        assert_string_equal(test_admin(t.name, "select count(*) from items where name = 'once'"), "1");
        assert_int_equal(second->open_transactions, 0);
}

/* The dispatcher would reject it, but only after COMMIT. */
static void a_call_without_memory_left_commits_nothing(void **state)
{
        CLEANUP(rpc_call_free_p) struct rpc_call *c = keyed_call("k11", 1);
        CLEANUP(rpc_call_free_p) struct rpc_call *again = keyed_call("k11", 1);

        (void)state;
        (void)arena_alloc(c->arena, 100 << 20);
        assert_true(arena_exhausted(c->arena));
        assert_int_equal(handle(c, "too large", 1), SN_RESOURCE_EXHAUSTED);
        assert_false(c->committed);
        assert_string_equal(test_admin(t.name, "select count(*) from items where name = 'too large'"), "0");
        assert_int_equal(handle(again, "too large", 1), SN_OK); /* the key is free */
        assert_true(again->committed);
}

/* The dispatcher's check before the handler runs. */
static void a_key_is_looked_up_without_claiming_it(void **state)
{
        CLEANUP(rpc_call_free_p) struct rpc_call *first = keyed_call("k10", 1);
        CLEANUP(rpc_call_free_p) struct rpc_call *same = keyed_call("k10", 1);
        CLEANUP(rpc_call_free_p) struct rpc_call *other = keyed_call("k10", 2);
        CLEANUP(rpc_call_free_p) struct rpc_call *keyless = keyed_call(NULL, 1);
        CLEANUP(db_end) struct db_tx *tx = NULL;

        (void)state;
        assert_int_equal(db_replay(keyless), SN_OK);
        assert_int_equal(db_replay(first), SN_OK);
        assert_int_equal(db_replay(same), SN_OK);
        assert_int_equal(db_begin(first, &tx), SN_OK); /* a read-only transaction blocks no other */
        assert_int_equal(db_replay(same), SN_ABORTED);
        assert_string_equal(same->problem.code, "idempotency_key_busy");
        assert_false(same->retry);
        db_end(&tx);
        assert_int_equal(db_replay(same), SN_OK);
        assert_int_equal(handle(first, "looked up", 5), SN_OK);
        assert_int_equal(db_replay(same), SN_REPLAYED);
        assert_true(same->replayed_len > 0);
        assert_int_equal(db_replay(other), SN_INVALID_ARGUMENT);
        assert_string_equal(other->problem.code, "idempotency_key_reused");
        assert_int_equal(same->open_transactions + other->open_transactions, 0);
}

static void a_key_with_another_body_is_rejected(void **state)
{
        CLEANUP(rpc_call_free_p) struct rpc_call *first = keyed_call("k2", 1);
        CLEANUP(rpc_call_free_p) struct rpc_call *second = keyed_call("k2", 2);

        (void)state;
        assert_int_equal(handle(first, "body1", 1), SN_OK);
        assert_int_equal(handle(second, "body2", 1), SN_INVALID_ARGUMENT);
        assert_string_equal(second->problem.code, "idempotency_key_reused");
}

static void keys_of_different_members_are_independent(void **state)
{
        CLEANUP(rpc_call_free_p) struct rpc_call *first = keyed_call("k3", 1);
        CLEANUP(rpc_call_free_p) struct rpc_call *second = keyed_call("k3", 2);
        CLEANUP(rpc_call_free_p) struct rpc_call *nobody = keyed_call("k3", 3);

        (void)state;
        second->actor = ID_B;
        nobody->actor = "";
        assert_int_equal(handle(first, "k3a", 1), SN_OK);
        assert_int_equal(handle(second, "k3b", 1), SN_OK);
        assert_int_equal(handle(nobody, "k3c", 1), SN_OK);
}

static void a_key_in_use_is_busy(void **state)
{
        CLEANUP(rpc_call_free_p) struct rpc_call *first = keyed_call("k4", 1);
        CLEANUP(rpc_call_free_p) struct rpc_call *second = keyed_call("k4", 1);
        CLEANUP(db_end) struct db_tx *tx = NULL;

        (void)state;
        assert_int_equal(db_begin(first, &tx), SN_OK);
        assert_int_equal(handle(second, "busy", 1), SN_ABORTED);
        assert_string_equal(second->problem.code, "idempotency_key_busy");
        assert_false(second->retry);
        db_end(&tx); /* the first failed: the key is free */
        assert_int_equal(handle(second, "busy", 1), SN_OK);
}

static void a_key_older_than_a_day_is_new_again(void **state)
{
        CLEANUP(rpc_call_free_p) struct rpc_call *first = keyed_call("k5", 1);
        CLEANUP(rpc_call_free_p) struct rpc_call *second = keyed_call("k5", 2);

        (void)state;
        assert_int_equal(handle(first, "old", 1), SN_OK);
        (void)test_admin(t.name,
                         "update idempotency_keys set created_at = now() - interval '25 hours' where key = 'k5'");
        assert_int_equal(handle(second, "new", 2), SN_OK);
        assert_string_equal(test_admin(t.name, "select (cleanup_old_data()).idempotency_keys_deleted"), "0");
        (void)test_admin(t.name,
                         "update idempotency_keys set created_at = now() - interval '25 hours' where key = 'k5'");
        assert_string_equal(test_admin(t.name, "select (cleanup_old_data()).idempotency_keys_deleted"), "1");
}

static void a_failed_handler_leaves_neither_effect_nor_key(void **state)
{
        CLEANUP(rpc_call_free_p) struct rpc_call *c = keyed_call("k6", 1);
        CLEANUP(rpc_call_free_p) struct rpc_call *again = keyed_call("k6", 2);

        (void)state;
        assert_int_equal(handle(c, "dup", 1), SN_OK);
        c->idempotency_key = "k7";
        assert_int_equal(handle(c, "dup", 1), SN_ALREADY_EXISTS);
        again->idempotency_key = "k7";
        assert_int_equal(handle(again, "k7", 1), SN_OK);
}

static void a_unique_violation_names_its_constraint(void **state)
{
        CLEANUP(rpc_call_free_p) struct rpc_call *c = rpc_call_new_background(&t.service, 10000);
        CLEANUP(db_end) struct db_tx *tx = NULL;

        (void)state;
        assert_int_equal(db_begin(c, &tx), SN_OK);
        assert_int_equal(db_exec(tx, &TEST_ADD, DB_BINDS(bind_text("twice")), NULL), SN_OK);
        assert_int_equal(db_exec(tx, &TEST_ADD, DB_BINDS(bind_text("twice")), NULL), SN_ALREADY_EXISTS);
        assert_string_equal(db_constraint(tx), "items_name_key");
        assert_null(strstr(c->problem.detail, "twice"));
        assert_int_equal(db_commit(c, NULL, &tx), SN_INTERNAL); /* the server rolled back: this is not a success */
}

struct rival {
        const char *first, *second;
        sn_status status;
        bool retry;
        pthread_barrier_t *barrier;
};

static sn_status lock_both(struct rpc_call *c, struct rival *r)
{
        CLEANUP(db_end) struct db_tx *tx = NULL;

        TRY(db_begin(c, &tx));
        TRY(db_exec(tx, &TEST_RENAME, DB_BINDS(bind_text(r->first)), NULL));
        (void)pthread_barrier_wait(r->barrier);
        TRY(db_exec(tx, &TEST_RENAME, DB_BINDS(bind_text(r->second)), NULL));
        return db_commit(c, NULL, &tx);
}

static void *run_rival(void *context)
{
        struct rival *r = context;
        struct rpc_call *c = rpc_call_new_background(&t.service, 10000);

        r->status = lock_both(c, r);
        r->retry = c->retry;
        rpc_call_free(c);
        return NULL;
}

static void one_of_two_deadlocked_transactions_must_run_again(void **state)
{
        CLEANUP(rpc_call_free_p) struct rpc_call *c = rpc_call_new_background(&t.service, 10000);
        pthread_barrier_t barrier;
        struct rival a = {.first = "left", .second = "right", .barrier = &barrier};
        struct rival b = {.first = "right", .second = "left", .barrier = &barrier};
        pthread_t threads[2];

        (void)state;
        assert_int_equal(handle(c, "left", 0), SN_OK);
        assert_int_equal(handle(c, "right", 0), SN_OK);
        (void)pthread_barrier_init(&barrier, NULL, 2);
        (void)pthread_create(&threads[0], NULL, run_rival, &a);
        (void)pthread_create(&threads[1], NULL, run_rival, &b);
        (void)pthread_join(threads[0], NULL);
        (void)pthread_join(threads[1], NULL);
        (void)pthread_barrier_destroy(&barrier);
        struct rival *loser = a.status == SN_OK ? &b : &a, *winner = a.status == SN_OK ? &a : &b;

        assert_int_equal(winner->status, SN_OK);
        assert_int_equal(loser->status, SN_ABORTED);
        assert_true(loser->retry);
}

DB_STATEMENT(TEST_SERIALIZATION_FAILURE, "test_raise", NULL,
             "do $$ begin raise exception using errcode = '40001'; end $$");

static void a_serialization_failure_must_run_again(void **state)
{
        CLEANUP(rpc_call_free_p) struct rpc_call *c = rpc_call_new_background(&t.service, 10000);
        CLEANUP(db_end) struct db_tx *tx = NULL;

        (void)state;
        assert_int_equal(db_begin(c, &tx), SN_OK);
        assert_int_equal(db_exec(tx, &TEST_SERIALIZATION_FAILURE, DB_NO_BINDS, NULL), SN_ABORTED);
        assert_true(c->retry);
}

static void count(void *context)
{
        ++*(int *)context;
}

static void hooks_run_once_when_the_transaction_ends(void **state)
{
        CLEANUP(rpc_call_free_p) struct rpc_call *c = rpc_call_new_background(&t.service, 10000);
        struct db_tx *tx = NULL;
        int ends = 0, commits = 0;

        (void)state;
        assert_int_equal(db_begin(c, &tx), SN_OK);
        db_on_end(tx, count, &ends);
        db_on_commit(tx, count, &commits);
        db_end(&tx);
        assert_int_equal(ends, 1);
        assert_int_equal(commits, 0);
        assert_int_equal(db_begin(c, &tx), SN_OK);
        db_on_end(tx, count, &ends);
        db_on_commit(tx, count, &commits);
        assert_int_equal(db_commit(c, NULL, &tx), SN_OK);
        db_end(&tx);
        assert_int_equal(ends, 2);
        assert_int_equal(commits, 1);
}

DB_STATEMENT(TEST_COUNT_NAMED, "test_items", NULL, "select count(*) as n from items where name = $1");

static int64_t count_named(struct rpc_call *c, const char *name)
{
        struct db_rows *rows = NULL;

        assert_int_equal(DB_READ(c, tx, db_rows(tx, &TEST_COUNT_NAMED, DB_BINDS(bind_text(name)), &rows)), SN_OK);
        assert_int_equal(c->open_transactions, 0); /* released before the status is checked */
        return db_i64(rows, 0, "n");
}

static sn_status add_and_fail(struct db_tx *tx, const char *name)
{
        TRY(db_exec(tx, &TEST_ADD, DB_BINDS(bind_text(name)), NULL));
        return rpc_fail(db_call(tx), SN_FAILED_PRECONDITION, NULL, "refused after the row was added");
}

static void one_expression_is_committed_or_rolled_back_and_releases_its_connection(void **state)
{
        CLEANUP(rpc_call_free_p) struct rpc_call *c = rpc_call_new_background(&t.service, 10000);

        (void)state;
        assert_int_equal(DB_WRITE(c, tx, db_exec(tx, &TEST_ADD, DB_BINDS(bind_text("kept")), NULL)), SN_OK);
        assert_int_equal(c->open_transactions, 0);
        assert_int_equal(DB_WRITE(c, tx, add_and_fail(tx, "dropped")), SN_FAILED_PRECONDITION);
        assert_int_equal(c->open_transactions, 0);
        assert_int_equal(count_named(c, "kept"), 1);
        assert_int_equal(count_named(c, "dropped"), 0);
}

static void a_read_may_end_before_its_scope(void **state)
{
        CLEANUP(rpc_call_free_p) struct rpc_call *c = rpc_call_new_background(&t.service, 10000);
        CLEANUP(db_end) struct db_tx *tx = NULL;

        (void)state;
        db_end(&tx);
        assert_int_equal(db_read(c, &tx), SN_OK);
        assert_int_equal(c->open_transactions, 1);
        db_end(&tx);
        assert_null(tx);
        assert_int_equal(c->open_transactions, 0);
}

static void *lock_pair(void *context)
{
        struct rpc_call *c = rpc_call_new_background(&t.service, 10000);
        struct db_tx *tx = NULL;

        (void)context;
        assert_int_equal(db_begin(c, &tx), SN_OK);
        assert_int_equal(db_lock_pair(tx, ID_B, ID_A), SN_OK);
        assert_int_equal(db_commit(c, NULL, &tx), SN_OK);
        rpc_call_free(c);
        return NULL;
}

static void the_lock_of_a_pair_does_not_depend_on_its_order(void **state)
{
        CLEANUP(rpc_call_free_p) struct rpc_call *c = rpc_call_new_background(&t.service, 10000);
        struct db_tx *tx = NULL;
        pthread_t thread;
        char waits[200];

        (void)state;
        assert_int_equal(db_begin(c, &tx), SN_OK);
        assert_int_equal(db_lock_pair(tx, ID_A, ID_B), SN_OK);
        (void)pthread_create(&thread, NULL, lock_pair, NULL);
        (void)snprintf(waits, sizeof(waits),
                       "select count(*) = 1 from pg_stat_activity where datname = '%s' and wait_event = 'advisory'",
                       t.name);
        test_wait_for("postgres", waits);
        assert_int_equal(db_commit(c, NULL, &tx), SN_OK);
        (void)pthread_join(thread, NULL);
}

int run_tx_tests(void)
{
        const struct CMUnitTest tests[] = {
            cmocka_unit_test(a_repeated_key_returns_its_response_without_effect),
            cmocka_unit_test(a_call_without_memory_left_commits_nothing),
            cmocka_unit_test(a_key_is_looked_up_without_claiming_it),
            cmocka_unit_test(a_key_with_another_body_is_rejected),
            cmocka_unit_test(keys_of_different_members_are_independent),
            cmocka_unit_test(a_key_in_use_is_busy),
            cmocka_unit_test(a_key_older_than_a_day_is_new_again),
            cmocka_unit_test(a_failed_handler_leaves_neither_effect_nor_key),
            cmocka_unit_test(a_unique_violation_names_its_constraint),
            cmocka_unit_test(one_of_two_deadlocked_transactions_must_run_again),
            cmocka_unit_test(a_serialization_failure_must_run_again),
            cmocka_unit_test(hooks_run_once_when_the_transaction_ends),
            cmocka_unit_test(one_expression_is_committed_or_rolled_back_and_releases_its_connection),
            cmocka_unit_test(a_read_may_end_before_its_scope),
            cmocka_unit_test(the_lock_of_a_pair_does_not_depend_on_its_order),
        };

        return cmocka_run_group_tests_name("db: transactions", tests, setup, teardown);
}
