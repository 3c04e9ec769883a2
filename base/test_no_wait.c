/* Threads that must not block: code that checks fails, code that does not check aborts debug builds. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <cmocka.h>
#include <pthread.h>
#include <signal.h>
#include <stdlib.h>
#include <sys/wait.h>
#include <unistd.h>

#include "base/clock.h"
#include "base/no_wait.h"
#include "base/ticker.h"

static void other_threads_may_block(void **state)
{
        (void)state;
        assert_false(no_wait_refuses());
        assert_false(no_wait_refused());
        assert_false(no_wait_end());
        clock_sleep_ms(1);
}

static void an_attempt_fails_as_soon_as_something_would_block(void **state)
{
        (void)state;
        no_wait_begin();
        assert_false(no_wait_refused());
        assert_true(no_wait_refuses());
        assert_true(no_wait_refused());
        assert_true(no_wait_end());
        assert_false(no_wait_refused());
}

static void the_next_attempt_starts_from_scratch(void **state)
{
        (void)state;
        no_wait_begin();
        assert_true(no_wait_refuses());
        assert_true(no_wait_end());
        no_wait_begin();
        assert_false(no_wait_end());
}

#ifndef NDEBUG
/* In a child, which must end by abort(). */
static void assert_aborts(void (*wait)(void))
{
        pid_t child = fork();
        int status = 0;

        assert_true(child >= 0);
        if (child == 0) {
                (void)signal(SIGABRT, SIG_DFL);
                (void)close(STDERR_FILENO);
                no_wait_begin();
                wait();
                _exit(0);
        }
        assert_int_equal(child, waitpid(child, &status, 0));
        assert_true(WIFSIGNALED(status));
        assert_int_equal(SIGABRT, WTERMSIG(status));
}

static void sleep_a_little(void)
{
        clock_sleep_ms(1);
}

static void wait_for_condition(void)
{
        pthread_mutex_t lock = PTHREAD_MUTEX_INITIALIZER;
        pthread_cond_t cond = PTHREAD_COND_INITIALIZER;

        (void)pthread_mutex_lock(&lock);
        (void)cond_wait_until(&cond, &lock, clock_monotonic_us() + 1000);
}

static void blocking_without_checking_aborts(void **state)
{
        (void)state;
        assert_aborts(sleep_a_little);
        assert_aborts(wait_for_condition);
}
#endif

int main(void)
{
        const struct CMUnitTest tests[] = {
            cmocka_unit_test(other_threads_may_block),
            cmocka_unit_test(an_attempt_fails_as_soon_as_something_would_block),
            cmocka_unit_test(the_next_attempt_starts_from_scratch),
#ifndef NDEBUG
            cmocka_unit_test(blocking_without_checking_aborts),
#endif
        };

        return cmocka_run_group_tests_name("base no wait", tests, NULL, NULL);
}
