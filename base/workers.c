/* Worker pools: one mutex, one condition, a list of work. */
#include "base/workers.h"

#include <pthread.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>

#include "base/clock.h"
#include "base/metrics.h"

enum { RETRY_MAX_S = 60 };

struct workers {
        pthread_mutex_t lock;
        pthread_cond_t wake;
        struct work *first, **end; /* those that wait, oldest first */
        int n_waiting, queue_max;
        int n_busy, n_threads;
        bool stopping, refuses_late;
        int64_t run_us; /* how long work takes, as a moving average */
        char name[12];  /* thread names hold 15 characters, with the number */
        struct metric *waiting_gauge, *busy_gauge, *refused_total;
        pthread_t threads[];
};

/* What a new thread needs to know; the name is set by itself. */
struct start {
        struct workers *pool;
        int number;
};

static struct work *take_work(struct workers *w)
{
        struct work *work = w->first;
        w->first = work->next;
        if (w->first == NULL) {
                w->end = &w->first;
        }
        work->next = NULL;
        w->n_waiting--;
        w->n_busy++;
        metric_add(w->waiting_gauge, -1);
        metric_add(w->busy_gauge, 1);
        return work;
}

static void note_run(struct workers *w, int64_t us)
{
        w->run_us = w->run_us == 0 ? us : w->run_us + (us - w->run_us) / 16;
}

/* How long a task queued now would wait. */
static int64_t wait_us(const struct workers *w)
{
        return w->n_waiting * w->run_us / w->n_threads;
}

/* A task that never had enough time fails by its deadline. */
static bool comes_late(const struct workers *w, const struct work *work)
{
        int64_t left_us = work->deadline_us - clock_monotonic_us();

        return w->refuses_late && work->deadline_us != 0 && left_us > w->run_us && wait_us(w) > left_us / 2;
}

static void *worker_main(void *arg)
{
        struct workers *w = ((struct start *)arg)->pool;
        char name[16];
        snprintf(name, sizeof(name), "%.11s-%u", w->name, (unsigned)((struct start *)arg)->number % 1000u);
        free(arg);
        pthread_setname_np(pthread_self(), name);
        pthread_mutex_lock(&w->lock);
        for (;;) {
                while (w->first == NULL && !w->stopping) {
                        pthread_cond_wait(&w->wake, &w->lock);
                }
                if (w->first == NULL) {
                        break;
                }
                struct work *work = take_work(w);
                int64_t began_us = clock_monotonic_us();
                pthread_mutex_unlock(&w->lock);
                work->run(work, work->deadline_us != 0 && began_us >= work->deadline_us);
                metric_add(w->busy_gauge, -1); /* work may be gone by now */
                pthread_mutex_lock(&w->lock);
                note_run(w, clock_monotonic_us() - began_us);
                w->n_busy--;
        }
        pthread_mutex_unlock(&w->lock);
        return NULL;
}

/* Signals are handled by the main thread: workers start with all of them blocked. */
static void start_threads(struct workers *w, int threads)
{
        sigset_t all, before;
        sigfillset(&all);
        pthread_sigmask(SIG_SETMASK, &all, &before);
        for (int i = 0; i < threads; i++) {
                struct start *start = malloc(sizeof(*start));
                if (start == NULL) {
                        break;
                }
                *start = (struct start){.pool = w, .number = i};
                if (pthread_create(&w->threads[i], NULL, worker_main, start) != 0) {
                        free(start);
                        break;
                }
                w->n_threads++;
        }
        pthread_sigmask(SIG_SETMASK, &before, NULL);
}

struct workers *workers_new(const char *name, int threads, int queue_max)
{
        struct workers *w = calloc(1, sizeof(*w) + (size_t)threads * sizeof(w->threads[0]));
        if (w == NULL) {
                return NULL;
        }
        const char *labels = metrics_intern("pool=\"%s\"", name);
        w->waiting_gauge = metric_gauge("sonet_workers_waiting", "Tasks waiting for a worker.", labels);
        w->busy_gauge = metric_gauge("sonet_workers_busy", "Busy workers.", labels);
        w->refused_total = metric_counter("sonet_workers_refused_total",
                                          "Tasks rejected because the queue was full or too slow.", labels);
        snprintf(w->name, sizeof(w->name), "%s", name);
        w->queue_max = queue_max;
        w->end = &w->first;
        pthread_mutex_init(&w->lock, NULL);
        pthread_cond_init(&w->wake, NULL);
        start_threads(w, threads);
        if (w->n_threads < threads) {
                workers_free(w);
                return NULL;
        }
        return w;
}

void workers_refuse_late(struct workers *w)
{
        w->refuses_late = true;
}

bool workers_submit(struct workers *w, struct work *work)
{
        work->next = NULL;
        pthread_mutex_lock(&w->lock);
        /* A free worker takes one at once, so that one does not count as waiting. */
        bool accepted = !w->stopping && w->n_waiting < w->queue_max + w->n_threads - w->n_busy && !comes_late(w, work);
        if (accepted) {
                *w->end = work;
                w->end = &work->next;
                w->n_waiting++;
                metric_add(w->waiting_gauge, 1);
        } else {
                metric_add(w->refused_total, 1);
        }
        pthread_mutex_unlock(&w->lock);
        if (accepted) { /* without the lock, for which the worker would have to wait again */
                pthread_cond_signal(&w->wake);
        }
        return accepted;
}

int workers_retry_after_s(struct workers *w)
{
        (void)pthread_mutex_lock(&w->lock);
        int64_t spread_s = 2 * wait_us(w) / 1000000;
        (void)pthread_mutex_unlock(&w->lock);
        return 1 + (int)random_below((uint32_t)(spread_s < RETRY_MAX_S ? spread_s + 1 : RETRY_MAX_S));
}

void workers_free(struct workers *w)
{
        if (w == NULL) {
                return;
        }
        pthread_mutex_lock(&w->lock);
        w->stopping = true;
        pthread_cond_broadcast(&w->wake);
        pthread_mutex_unlock(&w->lock);
        for (int i = 0; i < w->n_threads; i++) {
                pthread_join(w->threads[i], NULL);
        }
        pthread_cond_destroy(&w->wake);
        pthread_mutex_destroy(&w->lock);
        free(w);
}
