/* Owns when jobs run: a list ordered by due time, and a thread for each running job. Work created by a transaction
 * is announced; later work has a due time. */
#include "services/jobs.h"

#include <pthread.h>
#include <stdio.h>
#include <stdlib.h>
#include "base/clock.h"
#include "base/log.h"
#include "base/ticker.h"

#define JOB_DEADLINE_MS 60000
#define PAUSE_US        50000 /* between portions, at least */
#define RETRY_US        INT64_C(1000000)
#define FIRST_APART_US  INT64_C(20000) /* at the start: all at once would open a connection for each */

struct entry {
        struct jobs *jobs;
        struct service *service;
        const struct service_job *job;
        int64_t due_us;
        bool announced; /* while it was running */
        int failures;   /* consecutive */
        struct entry *next;
};

struct jobs {
        struct ticker *ticker;
        pthread_mutex_t lock;
        pthread_cond_t finished;
        struct entry *waiting; /* ordered by due time */
        struct entry *running;
        bool stopping;
};

static pthread_mutex_t started_lock = PTHREAD_MUTEX_INITIALIZER;
static struct jobs *started; /* of this process; NULL: work waits for another process, or for a start */

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

/* With the lock held. */
static void take_out(struct entry **list, struct entry *entry)
{
        while (*list != entry) {
                list = &(*list)->next;
        }
        *list = entry->next;
}

static struct entry *find_waiting(struct entry *list, const struct service_job *job, int64_t after_us)
{
        while (list != NULL && (list->job != job || list->due_us <= after_us)) {
                list = list->next;
        }
        return list;
}

static struct entry *find_running(struct entry *list, const struct service_job *job)
{
        while (list != NULL && (list->job != job || list->announced)) {
                list = list->next;
        }
        return list;
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
        int n = job->parallel != NULL ? job->parallel() : 1;

        for (int i = 0; i < n; i++) {
                struct entry *entry = allocate(sizeof(*entry));

                *entry = (struct entry){.jobs = jobs, .service = service, .job = job};
                insert(jobs, entry);
        }
}

/* ---- Announcements ---- */

/* Makes one waiting entry due, since each announcement is for one piece of work. If all are running, one of them checks
 * again, since it may have checked before the work was committed. */
static void hurry(struct jobs *jobs, const struct service_job *job)
{
        int64_t now_us = clock_monotonic_us();

        (void)pthread_mutex_lock(&jobs->lock);
        struct entry *waiting = find_waiting(jobs->waiting, job, now_us);
        struct entry *running = find_running(jobs->running, job);
        if (waiting != NULL) {
                take_out(&jobs->waiting, waiting);
                waiting->due_us = now_us;
                insert(jobs, waiting);
                ticker_wake(jobs->ticker);
        } else if (running != NULL) {
                running->announced = true;
        }
        (void)pthread_mutex_unlock(&jobs->lock);
}

void jobs_announce_now(const struct service_job *job)
{
        (void)pthread_mutex_lock(&started_lock);
        if (started != NULL) {
                hurry(started, job);
        }
        (void)pthread_mutex_unlock(&started_lock);
}

static void announce(void *job)
{
        jobs_announce_now(job);
}

void jobs_announce(struct db_tx *tx, const struct service_job *job)
{
        db_on_commit(tx, announce, (void *)job);
}

bool jobs_stopping(void)
{
        (void)pthread_mutex_lock(&started_lock);
        bool stopping = started == NULL;
        (void)pthread_mutex_unlock(&started_lock);
        return stopping;
}

sn_status jobs_read_wait(struct db_tx *tx, const struct db_statement *s, int64_t *wait_ms)
{
        struct db_rows *rows = NULL;

        TRY(db_rows(tx, s, DB_NO_BINDS, &rows));
        if (db_rows_count(rows) > 0 && !db_is_null(rows, 0, "wait_ms")) {
                int64_t asked_ms = db_i64(rows, 0, "wait_ms");

                *wait_ms = asked_ms < 0 ? 0 : asked_ms < *wait_ms ? asked_ms : *wait_ms;
        }
        return SN_OK;
}

/* ---- One run ---- */

static void log_failure(const struct entry *entry, const struct rpc_call *c, sn_status status)
{
        log_event(LOG_LEVEL_WARN, "job failed", LOG_STR("event.action", entry->job->name),
                  LOG_STR("sonet.service", entry->service->name), LOG_STR("sonet.code", sn_status_name(status)),
                  LOG_STR("error.message", c->problem.detail != NULL ? c->problem.detail : ""));
}

static sn_status run_portion(const struct entry *entry, bool *more)
{
        CLEANUP(rpc_call_free_p)
        struct rpc_call *c = rpc_call_new_background(entry->service, JOB_DEADLINE_MS);
        sn_status status = entry->job->run(c, more);

        if (status != SN_OK) {
                log_failure(entry, c, status);
        }
        return status;
}

static sn_status ask_next(const struct entry *entry, int64_t *wait_ms)
{
        CLEANUP(rpc_call_free_p)
        struct rpc_call *c = rpc_call_new_background(entry->service, JOB_DEADLINE_MS);
        sn_status status = entry->job->next != NULL ? entry->job->next(c, wait_ms) : SN_OK;

        if (status != SN_OK) {
                log_failure(entry, c, status);
        }
        return status;
}

/* After a failure: a second, doubling each time, up to its regular interval. */
static int64_t retry_us(const struct entry *entry, int64_t rest_us)
{
        int64_t wait_us = RETRY_US << (entry->failures < 12 ? entry->failures - 1 : 12);

        return wait_us < rest_us ? wait_us : rest_us;
}

static bool is_stopping(struct jobs *jobs)
{
        (void)pthread_mutex_lock(&jobs->lock);
        bool stopping = jobs->stopping;
        (void)pthread_mutex_unlock(&jobs->lock);
        return stopping;
}

/* When the entry is due again: portions alternate with pauses, so that clean-up leaves half of the time to others;
 * those of eager jobs follow at once. */
static int64_t run_entry(struct entry *entry)
{
        int64_t began_us, took_us, rest_ms = entry->job->every_s * INT64_C(1000), wait_ms = rest_ms;
        sn_status status;
        bool more;

        do {
                began_us = clock_monotonic_us();
                more = false;
                status = run_portion(entry, &more);
                more = more && status == SN_OK;
        } while (more && entry->job->eager && !is_stopping(entry->jobs));
        took_us = clock_monotonic_us() - began_us;
        if (more) {
                entry->failures = 0;
                return began_us + took_us + (took_us > PAUSE_US ? took_us : PAUSE_US);
        }
        if (status == SN_OK) {
                status = ask_next(entry, &wait_ms);
        }
        entry->failures = status == SN_OK ? 0 : entry->failures + 1;
        if (status != SN_OK) {
                return clock_monotonic_us() + retry_us(entry, rest_ms * 1000);
        }
        return clock_monotonic_us() + (wait_ms < rest_ms ? wait_ms : rest_ms) * 1000;
}

static void *job_thread(void *argument)
{
        struct entry *entry = argument;
        struct jobs *jobs = entry->jobs;
        int64_t due_us = run_entry(entry), soon_us = clock_monotonic_us() + PAUSE_US;

        (void)pthread_mutex_lock(&jobs->lock);
        take_out(&jobs->running, entry);
        entry->due_us = entry->announced && soon_us < due_us ? soon_us : due_us;
        entry->announced = false;
        insert(jobs, entry);
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
        entry->next = jobs->running;
        jobs->running = entry;
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
        int64_t due_us = clock_monotonic_us();

        (void)pthread_mutex_lock(&jobs->lock); /* the first job may end before the ticker exists */
        for (struct entry *entry = jobs->waiting; entry != NULL; entry = entry->next) {
                entry->due_us = due_us;
                due_us += FIRST_APART_US;
        }
        jobs->ticker = ticker_new("jobs", start_due, jobs);
        (void)pthread_mutex_unlock(&jobs->lock);
        (void)pthread_mutex_lock(&started_lock);
        started = jobs;
        (void)pthread_mutex_unlock(&started_lock);
}

void jobs_free(struct jobs *jobs)
{
        if (jobs == NULL) {
                return;
        }
        (void)pthread_mutex_lock(&started_lock);
        started = NULL;
        (void)pthread_mutex_unlock(&started_lock);
        (void)pthread_mutex_lock(&jobs->lock);
        jobs->stopping = true;
        (void)pthread_mutex_unlock(&jobs->lock);
        ticker_free(jobs->ticker);
        (void)pthread_mutex_lock(&jobs->lock);
        while (jobs->running != NULL) {
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
