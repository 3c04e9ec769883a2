/* A bounded pool of worker threads with a bounded queue: handlers block, so each request occupies a worker. */
#ifndef BASE_WORKERS_H
#define BASE_WORKERS_H

#include <stdbool.h>
#include <stdint.h>

struct workers;

/* Embedded in the task's data. run is called once, on a worker; expired: deadline_us passed while it was queued (run
 * then only reports that). */
struct work {
        void (*run)(struct work *work, bool expired);
        int64_t deadline_us; /* monotonic; 0: none */
        struct work *next;
};

/* threads are started at once; at most queue_max tasks wait in addition to those that run. name is used in metrics
 * and thread names. */
struct workers *workers_new(const char *name, int threads, int queue_max);
/* From now on tasks are also rejected that would probably start only in the second half of their time, judging by
 * past tasks. Under overload, a queue that is merely long makes everything in it late. */
void workers_refuse_late(struct workers *w);
/* False, at once, if the queue is full or too slow (see above), or the pool is stopping: the caller responds 503. */
bool workers_submit(struct workers *w, struct work *work);
/* For rejected clients: in how many seconds to retry, from 1 to 60. Up to twice the estimated time to empty the
 * queue, different for each client: those that return together would find it full again. */
int workers_retry_after_s(struct workers *w);
/* Runs all that is queued, then joins. Takes NULL. */
void workers_free(struct workers *w);

#endif
