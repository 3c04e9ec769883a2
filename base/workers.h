/* A bounded pool of worker threads with a bounded queue: handlers block, so one request holds one worker. */
#ifndef BASE_WORKERS_H
#define BASE_WORKERS_H

#include <stdbool.h>
#include <stdint.h>

struct workers;

/* Embedded in what the work needs. run is called once, on a worker; expired tells that deadline_us passed while it
 * queued (run then only answers that it did). */
struct work {
        void (*run)(struct work *work, bool expired);
        int64_t deadline_us; /* monotonic; 0: none */
        struct work *next;
};

/* threads are started at once; at most queue_max wait beyond those that run. name appears in metrics and thread names.
 */
struct workers *workers_new(const char *name, int threads, int queue_max);
/* From now on work is refused, too, that could only be begun in the second half of its time, as what has run so far
 * tells. Where more is asked for than can be done, a queue that is merely long makes all that waits too late. */
void workers_refuse_late(struct workers *w);
/* False, at once, when the queue is full, or too slow (see above), or the pool stops: the caller answers 503. */
bool workers_submit(struct workers *w, struct work *work);
/* For who was refused: in how many seconds to come back, at least 1 and at most 60. Twice what the queue takes until it
 * is empty, as what has run so far tells, and everybody another part of it: those who come back together would find
 * it full together. */
int workers_retry_after_s(struct workers *w);
/* Runs all that is queued, then joins. Takes NULL. */
void workers_free(struct workers *w);

#endif
