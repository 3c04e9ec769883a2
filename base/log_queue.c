/* Lines of threads that must not wait: an event loop hands them over, and one thread writes them. If the reader of
 * the log is slow or has stopped, lines that do not fit into the queue are dropped and counted. */
#include "base/log_queue.h"

#include <pthread.h>
#include <stdbool.h>
#include <stdlib.h>
#include <string.h>

#include "base/clock.h"
#include "base/log.h"
#include "base/metrics.h"
#include "base/ticker.h"

enum { QUEUE_BYTES = 128 << 10, STACK_BYTES = 64 << 10, FLUSH_US = 1000000 };

static struct {
        pthread_mutex_t lock;
        pthread_cond_t changed;
        char *filling, *writing; /* QUEUE_BYTES each */
        size_t n;                /* bytes in the first */
        int64_t dropped;         /* not yet reported in the log */
        bool runs, writes;
} queue = {.lock = PTHREAD_MUTEX_INITIALIZER, .changed = PTHREAD_COND_INITIALIZER};

static struct metric *dropped_total;

/* With the lock, which is released while writing. */
static void write_some(void)
{
        size_t n = queue.n;
        int64_t dropped = queue.dropped;
        char *bytes = queue.filling;

        queue.filling = queue.writing;
        queue.writing = bytes;
        queue.n = 0;
        queue.dropped = 0;
        queue.writes = true;
        (void)pthread_mutex_unlock(&queue.lock);
        log_write(bytes, n);
        if (dropped > 0) {
                log_event(LOG_LEVEL_WARN, "log lines were dropped: the reader of the log is too slow",
                          LOG_INT("sonet.log.dropped", dropped));
        }
        (void)pthread_mutex_lock(&queue.lock);
        queue.writes = false;
        (void)pthread_cond_broadcast(&queue.changed);
}

static void *write_log_lines(void *unused)
{
        (void)unused;
        (void)pthread_setname_np(pthread_self(), "log");
        (void)pthread_mutex_lock(&queue.lock);
        for (;;) {
                while (queue.n == 0 && queue.dropped == 0) {
                        (void)pthread_cond_wait(&queue.changed, &queue.lock);
                }
                write_some();
        }
        return NULL;
}

/* The last lines are not lost when the process exits, unless the reader has stalled. */
static void flush_lines(void)
{
        int64_t until_us = clock_monotonic_us() + FLUSH_US;
        bool in_time = true;

        (void)pthread_mutex_lock(&queue.lock);
        while (in_time && (queue.n > 0 || queue.writes)) {
                in_time = cond_wait_until(&queue.changed, &queue.lock, until_us);
        }
        (void)pthread_mutex_unlock(&queue.lock);
}

/* With the lock. The thread is started for the first line: many programs never need it. */
static bool start_writer(void)
{
        pthread_attr_t attributes;
        pthread_t thread;

        if (queue.runs) {
                return true;
        }
        queue.filling = queue.filling != NULL ? queue.filling : malloc(QUEUE_BYTES);
        queue.writing = queue.writing != NULL ? queue.writing : malloc(QUEUE_BYTES);
        if (queue.filling == NULL || queue.writing == NULL || pthread_attr_init(&attributes) != 0) {
                return false;
        }
        (void)pthread_attr_setstacksize(&attributes, STACK_BYTES);
        (void)pthread_attr_setdetachstate(&attributes, PTHREAD_CREATE_DETACHED);
        queue.runs = pthread_create(&thread, &attributes, write_log_lines, NULL) == 0;
        (void)pthread_attr_destroy(&attributes);
        if (queue.runs) {
                (void)atexit(flush_lines);
        }
        return queue.runs;
}

static void make_metric(void)
{
        dropped_total =
            metric_counter("sonet_log_dropped_total",
                           "Log lines of I/O threads dropped because the reader of the log is too slow.", NULL);
}

void log_queue_prepare(void)
{
        static pthread_once_t once = PTHREAD_ONCE_INIT;

        (void)pthread_once(&once, make_metric);
}

void log_queue_put(const char *line, size_t len)
{
        (void)pthread_mutex_lock(&queue.lock);
        if (start_writer() && len <= QUEUE_BYTES - queue.n) {
                memcpy(queue.filling + queue.n, line, len);
                queue.n += len;
        } else {
                queue.dropped++;
                metric_add(dropped_total, 1);
        }
        (void)pthread_cond_broadcast(&queue.changed);
        (void)pthread_mutex_unlock(&queue.lock);
}
