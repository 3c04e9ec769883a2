/* Worker pools. */
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <setjmp.h>
#include <cmocka.h>
#include <pthread.h>
#include <stdatomic.h>
#include <stdlib.h>

#include "base/clock.h"
#include "base/metrics.h"
#include "base/workers.h"

/* Work that waits at a gate, so that the test controls when workers are free. */
static pthread_mutex_t gate_lock = PTHREAD_MUTEX_INITIALIZER;
static pthread_cond_t gate_changed = PTHREAD_COND_INITIALIZER;
static bool gate_open;
static int n_at_gate;

static atomic_int n_run, n_expired;

static void count(struct work *work, bool expired)
{
        atomic_fetch_add(&n_run, 1);
        atomic_fetch_add(&n_expired, expired);
        free(work);
}

static void wait_at_gate(struct work *work, bool expired)
{
        pthread_mutex_lock(&gate_lock);
        n_at_gate++;
        pthread_cond_broadcast(&gate_changed);
        while (!gate_open) {
                pthread_cond_wait(&gate_changed, &gate_lock);
        }
        pthread_mutex_unlock(&gate_lock);
        count(work, expired);
}

static struct work *new_work(void (*run)(struct work *, bool))
{
        struct work *work = calloc(1, sizeof(*work));
        assert_non_null(work);
        work->run = run;
        return work;
}

static void wait_until_at_gate(int n)
{
        pthread_mutex_lock(&gate_lock);
        while (n_at_gate < n) {
                pthread_cond_wait(&gate_changed, &gate_lock);
        }
        pthread_mutex_unlock(&gate_lock);
}

static void open_gate(bool open)
{
        pthread_mutex_lock(&gate_lock);
        gate_open = open;
        n_at_gate = 0;
        pthread_cond_broadcast(&gate_changed);
        pthread_mutex_unlock(&gate_lock);
}

static int start(void **state)
{
        open_gate(false);
        n_run = 0;
        n_expired = 0;
        return 0;
}

static void a_full_queue_rejects_at_once_and_accepted_work_runs(void **state)
{
        struct workers *w = workers_new("full", 2, 3);
        assert_true(workers_submit(w, new_work(wait_at_gate)));
        assert_true(workers_submit(w, new_work(wait_at_gate)));
        wait_until_at_gate(2);
        for (int i = 0; i < 3; i++) {
                assert_true(workers_submit(w, new_work(count)));
        }
        struct work *refused = new_work(count);
        assert_false(workers_submit(w, refused));
        free(refused);
        assert_int_equal(metric_value(metric_counter("sonet_workers_refused_total", "", "pool=\"full\"")), 1);
        assert_int_equal(metric_value(metric_gauge("sonet_workers_busy", "", "pool=\"full\"")), 2);
        assert_int_equal(metric_value(metric_gauge("sonet_workers_waiting", "", "pool=\"full\"")), 3);
        open_gate(true);
        workers_free(w);
        assert_int_equal(n_run, 5);
        assert_int_equal(metric_value(metric_gauge("sonet_workers_busy", "", "pool=\"full\"")), 0);
        assert_int_equal(metric_value(metric_gauge("sonet_workers_waiting", "", "pool=\"full\"")), 0);
}

static void a_pool_without_a_queue_accepts_one_item_per_thread(void **state)
{
        struct workers *w = workers_new("none", 2, 0);
        assert_true(workers_submit(w, new_work(wait_at_gate)));
        assert_true(workers_submit(w, new_work(wait_at_gate)));
        struct work *refused = new_work(count);
        assert_false(workers_submit(w, refused));
        free(refused);
        open_gate(true);
        workers_free(w);
        assert_int_equal(n_run, 2);
}

static _Atomic int64_t fixed_now = 1000000;

static int64_t fixed_monotonic(void)
{
        return fixed_now;
}

static void work_that_waited_past_its_deadline_is_notified(void **state)
{
        clock_set_source(&(struct clock_source){.monotonic_us = fixed_monotonic});
        struct workers *w = workers_new("late", 1, 10);
        assert_true(workers_submit(w, new_work(wait_at_gate)));
        wait_until_at_gate(1);
        struct work *late = new_work(count), *in_time = new_work(count);
        late->deadline_us = fixed_now + 10;
        in_time->deadline_us = fixed_now + 1000;
        assert_true(workers_submit(w, late));
        assert_true(workers_submit(w, in_time));
        fixed_now += 10;
        open_gate(true);
        workers_free(w);
        clock_set_source(NULL);
        assert_int_equal(n_run, 3);
        assert_int_equal(n_expired, 1);
}

/* The first takes 50 ms: an item behind the second, which would wait as long, is late if it has less than 100. */
static void work_that_would_start_too_late_is_rejected_if_requested(void **state)
{
        clock_set_source(&(struct clock_source){.monotonic_us = fixed_monotonic});
        struct workers *w = workers_new("slow", 1, 10);
        workers_refuse_late(w);
        assert_true(workers_submit(w, new_work(wait_at_gate)));
        wait_until_at_gate(1);
        fixed_now += 50000;
        open_gate(true);
        while (metric_value(metric_gauge("sonet_workers_busy", "", "pool=\"slow\"")) > 0) {
                clock_sleep_ms(1);
        }
        open_gate(false);
        assert_true(workers_submit(w, new_work(wait_at_gate)));
        wait_until_at_gate(1);
        struct work *first = new_work(count), *late = new_work(count), *in_time = new_work(count);
        first->deadline_us = fixed_now + 10;
        late->deadline_us = fixed_now + 99000;
        in_time->deadline_us = fixed_now + 100000;
        assert_true(workers_submit(w, first)); /* nothing is queued before it */
        assert_false(workers_submit(w, late));
        assert_true(workers_submit(w, in_time));
        free(late);
        open_gate(true);
        workers_free(w);
        clock_set_source(NULL);
        assert_int_equal(n_run, 4);
}

/* If items took 3 s each, two queued ones are done in six, and clients retry within twice that. */
static void the_queue_computes_retry_after_for_rejected_work(void **state)
{
        clock_set_source(&(struct clock_source){.monotonic_us = fixed_monotonic});
        struct workers *w = workers_new("told", 1, 2);
        bool came[14] = {false};

        assert_int_equal(workers_retry_after_s(w), 1); /* no durations are known, and nothing is queued */
        assert_true(workers_submit(w, new_work(wait_at_gate)));
        wait_until_at_gate(1);
        fixed_now += 3000000;
        open_gate(true);
        while (metric_value(metric_gauge("sonet_workers_busy", "", "pool=\"told\"")) > 0) {
                clock_sleep_ms(1);
        }
        open_gate(false);
        assert_true(workers_submit(w, new_work(wait_at_gate)));
        wait_until_at_gate(1);
        assert_true(workers_submit(w, new_work(count)));
        assert_true(workers_submit(w, new_work(count)));
        for (int i = 0; i < 1000; i++) {
                int s = workers_retry_after_s(w);

                assert_in_range(s, 1, 13);
                came[s] = true;
        }
        assert_true(came[1] && came[7] && came[13]); /* fails by chance once in 10^34 */
        open_gate(true);
        workers_free(w);
        clock_set_source(NULL);
}

static atomic_int n_accepted;

static void *submit_many(void *arg)
{
        for (int i = 0; i < 2000; i++) {
                struct work *work = calloc(1, sizeof(*work));
                work->run = count;
                if (workers_submit(arg, work)) {
                        atomic_fetch_add(&n_accepted, 1);
                } else {
                        free(work);
                }
        }
        return NULL;
}

static void work_from_many_threads_runs_once(void **state)
{
        struct workers *w = workers_new("many", 4, 64);
        pthread_t threads[4];
        for (int i = 0; i < 4; i++) {
                assert_int_equal(pthread_create(&threads[i], NULL, submit_many, w), 0);
        }
        for (int i = 0; i < 4; i++) {
                pthread_join(threads[i], NULL);
        }
        workers_free(w);
        assert_int_equal(n_run, n_accepted);
        assert_true(n_run >= 64);
}

int main(void)
{
        const struct CMUnitTest tests[] = {
            cmocka_unit_test_setup(a_full_queue_rejects_at_once_and_accepted_work_runs, start),
            cmocka_unit_test_setup(a_pool_without_a_queue_accepts_one_item_per_thread, start),
            cmocka_unit_test_setup(work_that_waited_past_its_deadline_is_notified, start),
            cmocka_unit_test_setup(work_that_would_start_too_late_is_rejected_if_requested, start),
            cmocka_unit_test_setup(the_queue_computes_retry_after_for_rejected_work, start),
            cmocka_unit_test_setup(work_from_many_threads_runs_once, start),
        };
        workers_free(NULL);
        return cmocka_run_group_tests(tests, NULL, NULL);
}
