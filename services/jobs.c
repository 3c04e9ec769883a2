/* Owns when jobs run: a list in the order in which they are due, and a thread for each one that is running. */
#include "services/jobs.h"

#include <pthread.h>
#include <stdio.h>
#include <stdlib.h>
#include "base/clock.h"
#include "base/log.h"
#include "base/ticker.h"

#define JOB_DEADLINE_MS 60000
#define PAUSE_US        50000 /* between portions, at least */
#define RETRY_US        1000000

struct entry {
        struct jobs *jobs;
        struct service *service;
        const struct service_job *job;
        int64_t due_us;
        struct entry *next;
};

struct jobs {
        struct ticker *ticker;
        pthread_mutex_t lock;
        pthread_cond_t finished;
        struct entry *waiting; /* the first is due first */
        size_t n_running;
        bool stopping;
};

/* With the lock held. */
static void insert(struct jobs *jobs, struct entry *entry)
{
        struct entry **link = &jobs->waiting;

        while (*link != NULL && (*link)->due_us <= entry->due_us) {
                link = &(*link)->next;
        }
        entry->next = *link;
        *link = entry;
}

static void *allocate(size_t bytes)
{
        void *memory = calloc(1, bytes);

        if (memory == NULL) {
                fputs("sonet: out of memory\n", stderr);
                abort();
        }
        return memory;
}

struct jobs *jobs_new(void)
{
        struct jobs *jobs = allocate(sizeof(*jobs));

        (void)pthread_mutex_init(&jobs->lock, NULL);
        (void)pthread_cond_init(&jobs->finished, NULL);
        return jobs;
}

void jobs_add(struct jobs *jobs, struct service *service, const struct service_job *job)
{
        struct entry *entry = allocate(sizeof(*entry));

        *entry = (struct entry){.jobs = jobs, .service = service, .job = job, .due_us = clock_monotonic_us()};
        insert(jobs, entry);
}

static bool run_portion(const struct entry *entry)
{
        CLEANUP(rpc_call_free_p)
        struct rpc_call *c = rpc_call_new_background(entry->service, JOB_DEADLINE_MS);
        bool more = false;
        sn_status status = entry->job->run(c, &more);

        if (status != SN_OK) {
                log_event(LOG_LEVEL_WARN, "job failed", LOG_STR("event.action", entry->job->name),
                          LOG_STR("sonet.service", entry->service->name), LOG_STR("sonet.code", sn_status_name(status)),
                          LOG_STR("error.message", c->problem.detail != NULL ? c->problem.detail : ""));
        }
        return status == SN_OK && more;
}

static bool is_stopping(struct jobs *jobs)
{
        (void)pthread_mutex_lock(&jobs->lock);
        bool stopping = jobs->stopping;
        (void)pthread_mutex_unlock(&jobs->lock);
        return stopping;
}

/* When the entry is due again: portions follow each other with pauses, so that clean-up leaves half of the time to
 * others; those of eager jobs at once. */
static int64_t run_entry(const struct entry *entry)
{
        int64_t began_us, took_us;
        bool more;

        do {
                began_us = clock_monotonic_us();
                more = run_portion(entry);
        } while (more && entry->job->eager && !is_stopping(entry->jobs));
        if (!more) {
                return clock_monotonic_us() + entry->job->every_s * INT64_C(1000000);
        }
        took_us = clock_monotonic_us() - began_us;
        return began_us + took_us + (took_us > PAUSE_US ? took_us : PAUSE_US);
}

static void *job_thread(void *argument)
{
        struct entry *entry = argument;
        struct jobs *jobs = entry->jobs;
        int64_t due_us = run_entry(entry);

        (void)pthread_mutex_lock(&jobs->lock);
        entry->due_us = due_us;
        insert(jobs, entry);
        jobs->n_running--;
        if (!jobs->stopping) {
                ticker_wake(jobs->ticker);
        }
        (void)pthread_cond_signal(&jobs->finished);
        (void)pthread_mutex_unlock(&jobs->lock);
        return NULL;
}

/* With the lock held; the entry is off the list. */
static void start_entry(struct jobs *jobs, struct entry *entry)
{
        pthread_t thread;

        if (pthread_create(&thread, NULL, job_thread, entry) != 0) {
                log_event(LOG_LEVEL_WARN, "no thread for a job; it runs later",
                          LOG_STR("event.action", entry->job->name));
                entry->due_us = clock_monotonic_us() + RETRY_US;
                insert(jobs, entry);
                return;
        }
        (void)pthread_setname_np(thread, "job");
        (void)pthread_detach(thread);
        jobs->n_running++;
}

static int64_t start_due(void *context)
{
        struct jobs *jobs = context;
        int64_t now_us = clock_monotonic_us(), wait_ms = TICKER_IDLE;

        (void)pthread_mutex_lock(&jobs->lock);
        while (jobs->waiting != NULL && jobs->waiting->due_us <= now_us) {
                struct entry *due = jobs->waiting;

                jobs->waiting = due->next;
                start_entry(jobs, due);
        }
        if (jobs->waiting != NULL) {
                wait_ms = (jobs->waiting->due_us - now_us) / 1000 + 1;
        }
        (void)pthread_mutex_unlock(&jobs->lock);
        return wait_ms;
}

void jobs_start(struct jobs *jobs)
{
        (void)pthread_mutex_lock(&jobs->lock); /* the first job may end before there is a ticker to wake */
        jobs->ticker = ticker_new("jobs", start_due, jobs);
        (void)pthread_mutex_unlock(&jobs->lock);
}

void jobs_free(struct jobs *jobs)
{
        if (jobs == NULL) {
                return;
        }
        (void)pthread_mutex_lock(&jobs->lock);
        jobs->stopping = true;
        (void)pthread_mutex_unlock(&jobs->lock);
        ticker_free(jobs->ticker);
        (void)pthread_mutex_lock(&jobs->lock);
        while (jobs->n_running > 0) {
                (void)pthread_cond_wait(&jobs->finished, &jobs->lock);
        }
        (void)pthread_mutex_unlock(&jobs->lock);
        while (jobs->waiting != NULL) {
                struct entry *first = jobs->waiting;

                jobs->waiting = first->next;
                free(first);
        }
        (void)pthread_cond_destroy(&jobs->finished);
        (void)pthread_mutex_destroy(&jobs->lock);
        free(jobs);
}
