/* Ticker: a thread that does something periodically, by the monotonic clock, so that changes of the wall clock do
 * not affect it. */
#ifndef BASE_TICKER_H
#define BASE_TICKER_H

#include <pthread.h>
#include <stdbool.h>
#include <stdint.h>

struct ticker;

/* Does what is due. Returns the ms until the next call: 0 at once, TICKER_IDLE only when woken. */
typedef int64_t ticker_tick(void *context);
#define TICKER_IDLE INT64_MAX

/* Calls tick at once, and then as it returns. name: of the thread, up to 15 bytes. Aborts if the thread cannot be
 * started. */
struct ticker *ticker_new(const char *name, ticker_tick *tick, void *context);
/* Calls tick now, or once more if it is running. Any thread. */
void ticker_wake(struct ticker *ticker);
/* Waits for a running tick, and calls none after it. Must not be called from the tick. Takes NULL. */
void ticker_free(struct ticker *ticker);

/* Waits on a condition variable, with its lock held, until the given clock_monotonic_us() at most. False on timeout.
 * The program's only timed wait: pthread_cond_timedwait uses the wall clock. */
bool cond_wait_until(pthread_cond_t *cond, pthread_mutex_t *lock, int64_t until_us);

#endif
