/* Owns a ticker's thread, and timed waits on a condition variable. */
#include "base/ticker.h"

#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <time.h>
#include "base/clock.h"
#include "base/no_wait.h"

struct ticker {
        ticker_tick *tick;
        void *context;
        pthread_t thread;
        pthread_mutex_t lock;
        pthread_cond_t changed;
        bool woken, stopping;
};

bool cond_wait_until(pthread_cond_t *cond, pthread_mutex_t *lock, int64_t until_us)
{
        int64_t left_us = until_us - clock_monotonic_us(); /* tests may have moved that clock: not the system's */
        struct timespec until;

        NO_WAIT_ASSERT();
        if (left_us <= 0) {
                return false;
        }
        (void)clock_gettime(CLOCK_MONOTONIC, &until);
        int64_t ns = until.tv_nsec + left_us % 1000000 * 1000;

        until.tv_sec += left_us / 1000000 + ns / 1000000000;
        until.tv_nsec = ns % 1000000000;
        return pthread_cond_clockwait(cond, lock, CLOCK_MONOTONIC, &until) != ETIMEDOUT;
}

/* With the lock held. */
static void wait_for(struct ticker *t, int64_t ms)
{
        int64_t until_us = clock_monotonic_us() + (ms == TICKER_IDLE ? 0 : ms * 1000);

        while (!t->stopping && !t->woken) {
                if (ms == TICKER_IDLE) {
                        (void)pthread_cond_wait(&t->changed, &t->lock);
                } else if (!cond_wait_until(&t->changed, &t->lock, until_us)) {
                        return;
                }
        }
}

static void *ticker_thread(void *argument)
{
        struct ticker *t = argument;

        (void)pthread_mutex_lock(&t->lock);
        while (!t->stopping) {
                t->woken = false;
                (void)pthread_mutex_unlock(&t->lock);
                int64_t ms = t->tick(t->context);

                (void)pthread_mutex_lock(&t->lock);
                wait_for(t, ms);
        }
        (void)pthread_mutex_unlock(&t->lock);
        return NULL;
}

struct ticker *ticker_new(const char *name, ticker_tick *tick, void *context)
{
        struct ticker *t = calloc(1, sizeof(*t));

        if (t == NULL) {
                fputs("sonet: out of memory\n", stderr);
                abort();
        }
        *t = (struct ticker){.tick = tick, .context = context};
        (void)pthread_mutex_init(&t->lock, NULL);
        (void)pthread_cond_init(&t->changed, NULL);
        if (pthread_create(&t->thread, NULL, ticker_thread, t) != 0) {
                fprintf(stderr, "sonet: cannot start a thread for %s\n", name);
                abort();
        }
        (void)pthread_setname_np(t->thread, name);
        return t;
}

void ticker_wake(struct ticker *t)
{
        (void)pthread_mutex_lock(&t->lock);
        t->woken = true;
        (void)pthread_cond_signal(&t->changed);
        (void)pthread_mutex_unlock(&t->lock);
}

void ticker_free(struct ticker *t)
{
        if (t == NULL) {
                return;
        }
        (void)pthread_mutex_lock(&t->lock);
        t->stopping = true;
        (void)pthread_cond_signal(&t->changed);
        (void)pthread_mutex_unlock(&t->lock);
        (void)pthread_join(t->thread, NULL);
        (void)pthread_cond_destroy(&t->changed);
        (void)pthread_mutex_destroy(&t->lock);
        free(t);
}
