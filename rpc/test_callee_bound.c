/* The limit on calls to one callee, and its breaker. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <cmocka.h>
#include <pthread.h>
#include <unistd.h>

#include "base/clock.h"
#include "base/testdata/thread_blocked.h"
#include "rpc/callee_bound.h"

static struct callee_bound bound;

static int setup(void **state)
{
        callee_bound_init(&bound, 2, "test");
        return 0;
}

static int teardown(void **state)
{
        callee_bound_set_open(&bound, false);
        callee_bound_end(&bound);
        return 0;
}

static int64_t in_s(int64_t s)
{
        return clock_monotonic_us() + s * 1000000;
}

static void fill(void)
{
        assert_true(callee_bound_enter(&bound, in_s(60)));
        assert_true(callee_bound_enter(&bound, in_s(60)));
}

static atomic_int caller;

static void *call_main(void *entered)
{
        atomic_store(&caller, gettid());
        *(bool *)entered = callee_bound_enter(&bound, in_s(60));
        return NULL;
}

static void a_call_over_the_limit_waits_for_a_response(void **state)
{
        pthread_t thread;
        bool entered = false;
        fill();
        assert_int_equal(pthread_create(&thread, NULL, call_main, &entered), 0);
        thread_await_blocked(&caller);
        callee_bound_leave(&bound, true);
        pthread_join(thread, NULL);
        assert_true(entered);
}

static void a_callee_that_does_not_respond_is_waited_for_once(void **state)
{
        fill();
        assert_false(callee_bound_enter(&bound, in_s(60)));
        int64_t began_us = clock_monotonic_us();
        for (int i = 0; i < 1000; i++) {
                assert_false(callee_bound_enter(&bound, in_s(60)));
        }
        assert_true(clock_monotonic_us() - began_us < 10 * INT64_C(1000000)); /* of 1,000 s */
}

static void no_call_waits_longer_than_its_deadline(void **state)
{
        fill();
        int64_t began_us = clock_monotonic_us();
        assert_false(callee_bound_enter(&bound, began_us + 1000));
        assert_false(callee_bound_enter(&bound, began_us - 1000));
}

static void after_a_lost_call_one_call_tries_and_no_other_waits(void **state)
{
        fill();
        callee_bound_leave(&bound, false);
        assert_true(callee_bound_enter(&bound, in_s(60)));  /* it tries again */
        assert_false(callee_bound_enter(&bound, in_s(60))); /* and no other call waits for it */
        callee_bound_leave(&bound, true);
        assert_true(callee_bound_enter(&bound, in_s(60)));
}

static void an_open_breaker_refuses_at_once_and_releases_waiting_calls(void **state)
{
        callee_bound_set_open(&bound, true);
        assert_false(callee_bound_enter(&bound, in_s(60)));
        callee_bound_set_open(&bound, false);
        assert_true(callee_bound_enter(&bound, in_s(60)));
}

#define TEST(fn) cmocka_unit_test_setup_teardown(fn, setup, teardown)

int main(void)
{
        const struct CMUnitTest tests[] = {
            TEST(a_call_over_the_limit_waits_for_a_response),
            TEST(a_callee_that_does_not_respond_is_waited_for_once),
            TEST(no_call_waits_longer_than_its_deadline),
            TEST(after_a_lost_call_one_call_tries_and_no_other_waits),
            TEST(an_open_breaker_refuses_at_once_and_releases_waiting_calls),
        };
        return cmocka_run_group_tests(tests, NULL, NULL);
}
