/* Ticker: a thread that does something again and again, on the monotonic clock: a step of the wall clock neither stops
 * nor hurries it. */
#ifndef BASE_TICKER_H
#define BASE_TICKER_H

#include <pthread.h>
#include <stdbool.h>
#include <stdint.h>

struct ticker;

/* Does what is due. Gives the ms until it is to be called again: 0 at once, TICKER_IDLE not before it is woken. */
typedef int64_t ticker_tick(void *context);
#define TICKER_IDLE INT64_MAX

/* Calls tick at once, and then as it says. name: of the thread, up to 15 bytes. Aborts when there is no thread. */
struct ticker *ticker_new(const char *name, ticker_tick *tick, void *context);
/* Calls tick now, or once more when it is being called. Any thread. */
void ticker_wake(struct ticker *ticker);
/* Waits for the tick that runs, and calls none after it. Not from the tick itself. Takes NULL. */
void ticker_free(struct ticker *ticker);

/* Waits for a condition variable, with its lock held, until a moment of clock_monotonic_us() at most. False when that
 * has passed. The one timed wait of the program: pthread_cond_timedwait looks at the wall clock. */
bool cond_wait_until(pthread_cond_t *cond, pthread_mutex_t *lock, int64_t until_us);

#endif
