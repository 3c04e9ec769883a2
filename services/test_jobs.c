/* When jobs run: all of them, without delaying each other, portion after portion. */
#include <setjmp.h>
#include <stdarg.h>
#include <stdatomic.h>
#include <stddef.h>
#include <stdint.h>
#include <cmocka.h>
#include "base/clock.h"
#include "base/log.h"
#include "services/jobs.h"

static struct service service = {.name = "test"};
static atomic_int runs, portions_run, slow_ones, finished;
static atomic_bool gate_open;

static void wait_for(atomic_int *number, int n)
{
        for (int64_t until_us = clock_monotonic_us() + 20000000; atomic_load(number) < n;) {
                assert_true(clock_monotonic_us() < until_us);
                clock_sleep_ms(1);
        }
}

static sn_status run_once(struct rpc_call *c, bool *more)
{
        atomic_fetch_add(&runs, 1);
        return SN_OK;
}

static sn_status run_five_portions(struct rpc_call *c, bool *more)
{
        *more = atomic_fetch_add(&portions_run, 1) < 4;
        return SN_OK;
}

static sn_status run_600_portions(struct rpc_call *c, bool *more)
{
        *more = atomic_fetch_add(&portions_run, 1) < 599;
        return SN_OK;
}

static sn_status run_without_end(struct rpc_call *c, bool *more)
{
        *more = true;
        atomic_fetch_add(&portions_run, 1);
        return SN_OK;
}

static sn_status fail_at_once(struct rpc_call *c, bool *more)
{
        *more = true;
        atomic_fetch_add(&runs, 1);
        return rpc_fail(c, SN_UNAVAILABLE, NULL, "the database is unreachable");
}

static sn_status wait_at_gate(struct rpc_call *c, bool *more)
{
        atomic_fetch_add(&slow_ones, 1);
        while (!atomic_load(&gate_open)) {
                clock_sleep_ms(1);
        }
        atomic_fetch_add(&finished, 1);
        return SN_OK;
}

static const struct service_job once = {.name = "once", .every_s = 3600, .run = run_once};
static const struct service_job portions = {.name = "portions", .every_s = 3600, .run = run_five_portions};
static const struct service_job failing = {.name = "failing", .every_s = 3600, .run = fail_at_once};
static const struct service_job eager = {.name = "eager", .every_s = 3600, .eager = true, .run = run_600_portions};
static const struct service_job endless = {.name = "endless", .every_s = 3600, .eager = true, .run = run_without_end};
static sn_status due_at_once(struct rpc_call *c, int64_t *wait_ms)
{
        *wait_ms = 1;
        return SN_OK;
}

static const struct service_job due_soon = {.name = "due", .every_s = 3600, .run = run_once, .next = due_at_once};
static int three(void)
{
        return 3;
}

static const struct service_job shared = {.name = "shared", .every_s = 3600, .parallel = three, .run = run_once};
static const struct service_job shared_slow = {.name = "slow", .every_s = 3600, .parallel = three, .run = wait_at_gate};
static const struct service_job slow = {.name = "slow", .every_s = 3600, .run = wait_at_gate};

static int reset(void **state)
{
        log_setup("test", LOG_LEVEL_ERROR, LOG_FORMAT_TEXT);
        atomic_store(&runs, 0);
        atomic_store(&portions_run, 0);
        atomic_store(&slow_ones, 0);
        atomic_store(&finished, 0);
        atomic_store(&gate_open, false);
        return 0;
}

static void every_one_of_many_jobs_runs(void **state)
{
        struct jobs *jobs = jobs_new();

        for (int i = 0; i < 200; i++) {
                jobs_add(jobs, &service, &once);
        }
        jobs_start(jobs);
        wait_for(&runs, 200);
        jobs_free(jobs);
        assert_int_equal(atomic_load(&runs), 200);
}

static void slow_jobs_delay_no_others(void **state)
{
        struct jobs *jobs = jobs_new();

        for (int i = 0; i < 5; i++) {
                jobs_add(jobs, &service, &slow);
        }
        jobs_add(jobs, &service, &portions);
        jobs_start(jobs);
        wait_for(&slow_ones, 5);
        wait_for(&portions_run, 5);
        atomic_store(&gate_open, true);
        jobs_free(jobs);
}

static void stopping_waits_for_running_jobs(void **state)
{
        struct jobs *jobs = jobs_new();

        jobs_add(jobs, &service, &slow);
        jobs_start(jobs);
        wait_for(&slow_ones, 1);
        atomic_store(&gate_open, true);
        jobs_free(jobs);
        assert_int_equal(atomic_load(&finished), 1);
        jobs_free(NULL);
}

/* Five portions of another job take four pauses: enough time for an unexpected run. */
static void a_finished_job_waits_for_its_interval(void **state)
{
        struct jobs *jobs = jobs_new();

        jobs_add(jobs, &service, &once);
        jobs_add(jobs, &service, &portions);
        jobs_start(jobs);
        wait_for(&portions_run, 5);
        jobs_free(jobs);
        assert_int_equal(atomic_load(&runs), 1);
}

static void a_failed_job_is_retried_before_its_interval(void **state)
{
        struct jobs *jobs = jobs_new();

        jobs_add(jobs, &service, &failing);
        jobs_start(jobs);
        wait_for(&runs, 2);
        jobs_free(jobs);
}

static void a_job_that_returns_its_next_time_runs_then(void **state)
{
        struct jobs *jobs = jobs_new();

        jobs_add(jobs, &service, &due_soon);
        jobs_start(jobs);
        wait_for(&runs, 5);
        jobs_free(jobs);
}

static void announced_work_is_done_immediately(void **state)
{
        struct jobs *jobs = jobs_new();

        jobs_announce_now(&once); /* no jobs are running */
        jobs_add(jobs, &service, &once);
        jobs_start(jobs);
        for (int i = 1; i <= 3; i++) {
                wait_for(&runs, i);
                jobs_announce_now(&once);
        }
        wait_for(&runs, 4);
        jobs_free(jobs);
}

/* It may have checked before the work existed. */
static void work_announced_during_a_run_is_done_by_the_next(void **state)
{
        struct jobs *jobs = jobs_new();

        jobs_add(jobs, &service, &slow);
        jobs_start(jobs);
        wait_for(&slow_ones, 1);
        jobs_announce_now(&slow);
        atomic_store(&gate_open, true);
        wait_for(&finished, 2);
        jobs_free(jobs);
}

/* With pauses they would take half a minute, and wait_for would time out. */
static void portions_of_an_eager_job_follow_immediately(void **state)
{
        struct jobs *jobs = jobs_new();

        jobs_add(jobs, &service, &eager);
        jobs_start(jobs);
        wait_for(&portions_run, 600);
        jobs_free(jobs);
}

static void a_job_that_always_has_more_stops_with_the_others(void **state)
{
        struct jobs *jobs = jobs_new();

        jobs_add(jobs, &service, &endless);
        jobs_start(jobs);
        wait_for(&portions_run, 2);
        jobs_free(jobs);
}

/* Each announcement starts another portion, as long as one of the three is waiting for its interval. */
static void portions_of_one_job_run_in_parallel(void **state)
{
        struct jobs *jobs = jobs_new();

        jobs_add(jobs, &service, &shared_slow);
        jobs_start(jobs);
        wait_for(&slow_ones, 3); /* none has finished yet */
        jobs_announce_now(&shared_slow);
        atomic_store(&gate_open, true);
        wait_for(&finished, 4);
        jobs_free(jobs);
        assert_int_equal(atomic_load(&finished), 4);
}

static void an_announcement_wakes_one_of_a_parallel_job(void **state)
{
        struct jobs *jobs = jobs_new();

        jobs_add(jobs, &service, &shared);
        jobs_start(jobs);
        for (int n = 3; n < 20; n++) {
                wait_for(&runs, n);
                jobs_announce_now(&shared);
        }
        wait_for(&runs, 20);
        jobs_free(jobs);
        assert_int_equal(atomic_load(&runs), 20);
}

int main(void)
{
        const struct CMUnitTest tests[] = {
            cmocka_unit_test_setup(every_one_of_many_jobs_runs, reset),
            cmocka_unit_test_setup(slow_jobs_delay_no_others, reset),
            cmocka_unit_test_setup(stopping_waits_for_running_jobs, reset),
            cmocka_unit_test_setup(portions_of_an_eager_job_follow_immediately, reset),
            cmocka_unit_test_setup(a_job_that_always_has_more_stops_with_the_others, reset),
            cmocka_unit_test_setup(portions_of_one_job_run_in_parallel, reset),
            cmocka_unit_test_setup(an_announcement_wakes_one_of_a_parallel_job, reset),
            cmocka_unit_test_setup(a_finished_job_waits_for_its_interval, reset),
            cmocka_unit_test_setup(a_failed_job_is_retried_before_its_interval, reset),
            cmocka_unit_test_setup(a_job_that_returns_its_next_time_runs_then, reset),
            cmocka_unit_test_setup(announced_work_is_done_immediately, reset),
            cmocka_unit_test_setup(work_announced_during_a_run_is_done_by_the_next, reset),
        };

        return cmocka_run_group_tests_name("jobs", tests, NULL, NULL);
}
