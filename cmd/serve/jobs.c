/* Owns the jobs' thread. A job that fails is logged, and tried again when its time comes. */
#include "cmd/serve/jobs.h"

#include <errno.h>
#include <pthread.h>
#include <stdlib.h>
#include <time.h>
#include "base/clock.h"
#include "base/log.h"
#include "db/lease.h"

#define JOBS_MAX        64
#define JOB_DEADLINE_MS 60000
#define TICK_MS         500

struct entry {
        struct service *service;
        const struct service_job *job;
        int64_t due_us;
};

struct jobs {
        pthread_t thread;
        pthread_mutex_t mutex;
        pthread_cond_t wake;
        bool started, stop;
        struct entry entries[JOBS_MAX];
        size_t n;
};

struct jobs *jobs_new(void)
{
        struct jobs *jobs = calloc(1, sizeof(*jobs));

        if (jobs != NULL) {
                pthread_mutex_init(&jobs->mutex, NULL);
                pthread_cond_init(&jobs->wake, NULL);
        }
        return jobs;
}

void jobs_add(struct jobs *jobs, struct service *service, const struct service_job *job)
{
        if (jobs->n < JOBS_MAX) {
                jobs->entries[jobs->n++] = (struct entry){service, job, clock_monotonic_us()};
        }
}

static void run(struct entry *entry)
{
        CLEANUP(rpc_call_free_p) struct rpc_call *c = NULL;
        sn_status status;

        if (entry->service->lease != NULL && !db_lease_held(entry->service->lease)) {
                return;
        }
        c = rpc_call_new_background(entry->service, JOB_DEADLINE_MS);
        status = entry->job->run(c);
        if (status != SN_OK) {
                log_event(LOG_LEVEL_WARN, "job failed", LOG_STR("event.action", entry->job->name),
                          LOG_STR("sonet.service", entry->service->name), LOG_STR("sonet.code", sn_status_name(status)),
                          LOG_STR("error.message", c->problem.detail != NULL ? c->problem.detail : ""));
        }
        entry->due_us = clock_monotonic_us() + entry->job->every_s * INT64_C(1000000);
}

/* False when the jobs stop. */
static bool wait_tick(struct jobs *jobs)
{
        struct timespec until;
        bool stop;

        clock_gettime(CLOCK_REALTIME, &until);
        until.tv_nsec += TICK_MS * 1000000L;
        if (until.tv_nsec >= 1000000000L) {
                until.tv_sec++;
                until.tv_nsec -= 1000000000L;
        }
        pthread_mutex_lock(&jobs->mutex);
        while (!jobs->stop && pthread_cond_timedwait(&jobs->wake, &jobs->mutex, &until) != ETIMEDOUT) {
        }
        stop = jobs->stop;
        pthread_mutex_unlock(&jobs->mutex);
        return !stop;
}

static void *thread(void *argument)
{
        struct jobs *jobs = argument;

        while (wait_tick(jobs)) {
                for (size_t i = 0; i < jobs->n; i++) {
                        if (jobs->entries[i].due_us <= clock_monotonic_us()) {
                                run(&jobs->entries[i]);
                        }
                }
        }
        return NULL;
}

sn_status jobs_start(struct jobs *jobs)
{
        jobs->started = pthread_create(&jobs->thread, NULL, thread, jobs) == 0;
        return jobs->started ? SN_OK : SN_INTERNAL;
}

void jobs_free(struct jobs *jobs)
{
        if (jobs == NULL) {
                return;
        }
        pthread_mutex_lock(&jobs->mutex);
        jobs->stop = true;
        pthread_cond_broadcast(&jobs->wake);
        pthread_mutex_unlock(&jobs->mutex);
        if (jobs->started) {
                pthread_join(jobs->thread, NULL);
        }
        pthread_cond_destroy(&jobs->wake);
        pthread_mutex_destroy(&jobs->mutex);
        free(jobs);
}
