/* The ticker: periodic ticks, waking, stopping, whatever the wall clock does. */
#include <setjmp.h>
#include <stdarg.h>
#include <stdatomic.h>
#include <stddef.h>
#include <stdint.h>
#include <cmocka.h>
#include <sys/syscall.h>
#include <time.h>
#include <unistd.h>
#include "base/clock.h"
#include "base/ticker.h"

/* Replaces the C library's: a wall clock that is an hour ahead for each caller, as if it were set back right after each
 * call. Waiting for a time on that clock would take an hour. */
int clock_gettime(clockid_t id, struct timespec *t)
{
        int result = (int)syscall(SYS_clock_gettime, id, t);

        if (id == CLOCK_REALTIME) {
                t->tv_sec += 3600;
        }
        return result;
}

struct counter {
        atomic_int ticks;
        int64_t ms;
};

static int64_t count(void *context)
{
        struct counter *counter = context;

        atomic_fetch_add(&counter->ticks, 1);
        return counter->ms;
}

static void wait_for_ticks(struct counter *counter, int n)
{
        for (int64_t until_us = clock_monotonic_us() + 20000000; atomic_load(&counter->ticks) < n;) {
                assert_true(clock_monotonic_us() < until_us);
                clock_sleep_ms(1);
        }
}

static void ticks_continue_although_the_wall_clock_is_set_back(void **state)
{
        struct counter counter = {.ms = 5};
        struct ticker *ticker = ticker_new("test", count, &counter);

        wait_for_ticks(&counter, 5);
        ticker_free(ticker);
}

static void no_tick_is_early(void **state)
{
        struct counter counter = {.ms = 20};
        int64_t began_us = clock_monotonic_us();
        struct ticker *ticker = ticker_new("test", count, &counter);

        wait_for_ticks(&counter, 6);
        ticker_free(ticker);
        assert_true(clock_monotonic_us() - began_us >= 5 * 20000);
}

static void an_idle_ticker_ticks_once_and_whenever_it_is_woken(void **state)
{
        struct counter counter = {.ms = TICKER_IDLE};
        struct ticker *ticker = ticker_new("test", count, &counter);

        wait_for_ticks(&counter, 1);
        for (int n = 2; n < 20; n++) {
                ticker_wake(ticker);
                wait_for_ticks(&counter, n);
        }
        ticker_free(ticker);
        assert_int_equal(atomic_load(&counter.ticks), 19);
}

static int64_t wake_oneself_once(void *context)
{
        struct counter *counter = context;

        if (atomic_fetch_add(&counter->ticks, 1) == 0) {
                while (atomic_load(&counter->ticks) < 2) { /* until the test has woken it */
                        clock_sleep_ms(1);
                }
        }
        return TICKER_IDLE;
}

static void waking_during_a_tick_is_not_lost(void **state)
{
        struct counter counter = {0};
        struct ticker *ticker = ticker_new("test", wake_oneself_once, &counter);

        wait_for_ticks(&counter, 1);
        ticker_wake(ticker);
        atomic_fetch_add(&counter.ticks, 1);
        wait_for_ticks(&counter, 3);
        ticker_free(ticker);
        assert_int_equal(atomic_load(&counter.ticks), 3);
}

static int64_t last_long(void *context)
{
        struct counter *counter = context;

        atomic_store(&counter->ticks, 1);
        clock_sleep_ms(20);
        atomic_store(&counter->ticks, 2);
        return 0;
}

static void stopping_a_ticker_waits_for_its_tick(void **state)
{
        struct counter counter = {0};
        struct ticker *ticker = ticker_new("test", last_long, &counter);

        wait_for_ticks(&counter, 1);
        ticker_free(ticker);
        assert_int_equal(atomic_load(&counter.ticks), 2);
        ticker_free(NULL);
}

static void a_timed_wait_ends_although_the_wall_clock_is_set_back(void **state)
{
        pthread_mutex_t lock = PTHREAD_MUTEX_INITIALIZER;
        pthread_cond_t cond = PTHREAD_COND_INITIALIZER;
        int64_t until_us = clock_monotonic_us() + 10000;

        (void)pthread_mutex_lock(&lock);
        while (cond_wait_until(&cond, &lock, until_us)) {
        }
        assert_true(clock_monotonic_us() >= until_us);
        assert_false(cond_wait_until(&cond, &lock, until_us));
        (void)pthread_mutex_unlock(&lock);
}

int main(void)
{
        const struct CMUnitTest tests[] = {
            cmocka_unit_test(ticks_continue_although_the_wall_clock_is_set_back),
            cmocka_unit_test(no_tick_is_early),
            cmocka_unit_test(an_idle_ticker_ticks_once_and_whenever_it_is_woken),
            cmocka_unit_test(waking_during_a_tick_is_not_lost),
            cmocka_unit_test(stopping_a_ticker_waits_for_its_tick),
            cmocka_unit_test(a_timed_wait_ends_although_the_wall_clock_is_set_back),
        };

        return cmocka_run_group_tests_name("ticker", tests, NULL, NULL);
}
