/* Which requests are tried on I/O threads, and what remains of an attempt that had to wait. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <cmocka.h>

#include "base/no_wait.h"
#include "rpc/inline.h"

static struct rpc_method_stats stats;
static struct rpc_method read_method;
static struct rpc_call *c;

static int setup(void **state)
{
        (void)state;
        stats = (struct rpc_method_stats){0};
        read_method = (struct rpc_method){.http_verb = "GET", .lane = RPC_LANE_GENERAL, .stats = &stats};
        c = rpc_call_new_background(NULL, 1000);
        c->method = &read_method;
        return 0;
}

static int teardown(void **state)
{
        (void)state;
        rpc_call_free(c);
        return 0;
}

static void attempt(bool waits)
{
        struct rpc_inline attempt = rpc_inline_begin(c);

        if (waits) {
                assert_true(no_wait_refuses());
        }
        assert_int_equal(!waits, rpc_inline_end(&attempt, true));
        if (waits) {
                rpc_inline_waited(&read_method);
        }
}

static void only_reads_of_messages_in_the_general_lane_are_tried(void **state)
{
        struct rpc_method password = read_method, write = read_method, internal = read_method, bytes = read_method;

        (void)state;
        password.lane = RPC_LANE_PASSWORD;
        write.http_verb = "POST";
        internal.http_verb = NULL;
        bytes.body = RPC_BODY_BYTES;
        assert_true(rpc_inline_is_worth(&read_method));
        assert_false(rpc_inline_is_worth(&password));
        assert_false(rpc_inline_is_worth(&write));
        assert_false(rpc_inline_is_worth(&internal));
        assert_false(rpc_inline_is_worth(&bytes));
}

static void a_failed_attempt_leaves_nothing_behind(void **state)
{
        struct rpc_inline attempt = rpc_inline_begin(c);

        (void)state;
        assert_true(no_wait_refuses());
        assert_int_equal(SN_UNAVAILABLE, rpc_fail(c, SN_UNAVAILABLE, "field", "it has to wait"));
        assert_false(rpc_inline_end(&attempt, false));
        assert_null(c->problem.detail);
        struct arena_mark after = arena_mark(c->arena);
        assert_memory_equal(&attempt.mark, &after, sizeof(after));
        assert_false(no_wait_refuses()); /* this thread may block again */
        assert_int_equal(0, stats.inline_answers);
}

static void a_method_that_waits_repeatedly_is_tried_only_occasionally(void **state)
{
        int tried = 0;

        (void)state;
        for (int i = 0; i < 4; i++) {
                assert_true(rpc_inline_is_worth(&read_method));
                attempt(true);
        }
        for (int i = 0; i < 640; i++) {
                if (rpc_inline_is_worth(&read_method)) {
                        tried++;
                        attempt(true);
                }
        }
        assert_int_equal(10, tried);
}

static void a_method_that_did_not_wait_is_always_tried(void **state)
{
        (void)state;
        for (int i = 0; i < 10; i++) {
                attempt(true);
        }
        attempt(false);
        for (int i = 0; i < 100; i++) {
                assert_true(rpc_inline_is_worth(&read_method));
                attempt(false);
        }
        assert_int_equal(101, stats.inline_answers);
}

/* What the first of them lacked has been loaded by then. */
static void concurrent_attempts_that_had_to_wait_count_once(void **state)
{
        (void)state;
        for (int i = 0; i < 10; i++) {
                struct rpc_inline attempt = rpc_inline_begin(c);

                assert_true(rpc_inline_is_worth(&read_method));
                assert_true(no_wait_refuses());
                assert_false(rpc_inline_end(&attempt, false));
        }
        assert_int_equal(1, stats.waits_in_a_row);
        rpc_inline_waited(&read_method);
        attempt(true);
        assert_int_equal(2, stats.waits_in_a_row);
}

static void a_rejected_call_does_not_show_that_the_method_need_not_wait(void **state)
{

        (void)state;
        attempt(true);
        struct rpc_inline refused = rpc_inline_begin(c);
        assert_true(rpc_inline_end(&refused, false));
        assert_int_equal(1, stats.waits_in_a_row);
        attempt(false);
        assert_int_equal(0, stats.waits_in_a_row);
}

static void calls_of_an_attempt_are_counted_if_it_counts(void **state)
{
        struct rpc_method_stats other_stats = {0};
        struct rpc_method other = {.stats = &other_stats};

        (void)state;
        for (int waits = 1; waits >= 0; waits--) {
                struct rpc_inline attempt = rpc_inline_begin(c);

                assert_true(rpc_inline_count(&other, SN_OK, 100));
                assert_int_equal(0, other_stats.answers[SN_OK]);
                if (waits) {
                        assert_true(no_wait_refuses());
                }
                assert_int_equal(!waits, rpc_inline_end(&attempt, true));
        }
        assert_int_equal(1, other_stats.answers[SN_OK]);
        assert_false(rpc_inline_count(&other, SN_OK, 100)); /* there is no attempt: the caller counts it */
}

static void methods_with_very_many_calls_go_to_a_worker(void **state)
{
        struct rpc_method_stats other_stats = {0};
        struct rpc_method other = {.stats = &other_stats};
        struct rpc_inline attempt = rpc_inline_begin(c);

        (void)state;
        for (int i = 0; i < 100; i++) {
                assert_true(rpc_inline_count(&other, SN_OK, 100));
        }
        assert_true(no_wait_refused());
        assert_false(rpc_inline_end(&attempt, true));
}

int main(void)
{
        const struct CMUnitTest tests[] = {
            cmocka_unit_test_setup_teardown(only_reads_of_messages_in_the_general_lane_are_tried, setup, teardown),
            cmocka_unit_test_setup_teardown(a_failed_attempt_leaves_nothing_behind, setup, teardown),
            cmocka_unit_test_setup_teardown(a_method_that_waits_repeatedly_is_tried_only_occasionally, setup, teardown),
            cmocka_unit_test_setup_teardown(a_method_that_did_not_wait_is_always_tried, setup, teardown),
            cmocka_unit_test_setup_teardown(concurrent_attempts_that_had_to_wait_count_once, setup, teardown),
            cmocka_unit_test_setup_teardown(a_rejected_call_does_not_show_that_the_method_need_not_wait, setup,
                                            teardown),
            cmocka_unit_test_setup_teardown(calls_of_an_attempt_are_counted_if_it_counts, setup, teardown),
            cmocka_unit_test_setup_teardown(methods_with_very_many_calls_go_to_a_worker, setup, teardown),
        };

        return cmocka_run_group_tests_name("rpc inline", tests, NULL, NULL);
}
