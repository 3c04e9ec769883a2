/* What keeps one service that does not answer from taking all threads of those who call it: a bound on the calls that
 * are with a callee at a time, and a circuit breaker.
 *
 * Who finds the bound reached waits for a place as long as the callee gives answers; when it has given none for a
 * second (or none since a call was lost) it is refused at once. The breaker is opened by whoever sees that the callee's
 * process stands still, and closed when it is heard of again; while it is open every call is refused at once. */
#ifndef RPC_CALLEE_BOUND_H
#define RPC_CALLEE_BOUND_H

#include <pthread.h>
#include <stdatomic.h>
#include <stdbool.h>
#include <stdint.h>
#include "base/metrics.h"

struct callee_bound {
        pthread_mutex_t lock;
        pthread_cond_t change;
        int busy, max;
        int64_t answered_us; /* the last answer; or when there began to be somebody to wait for one */
        bool failing;        /* the last call that ended got none */
        atomic_bool open;
        struct metric *breaker, *refused;
};

/* max_calls at a time; name: of the callee, in metrics. */
void callee_bound_init(struct callee_bound *b, int max_calls, const char *name);
void callee_bound_end(struct callee_bound *b);
/* False: the callee does not answer. May wait, until the monotonic deadline at most. */
bool callee_bound_enter(struct callee_bound *b, int64_t deadline_us);
/* answered: by the callee, whatever it said. */
void callee_bound_leave(struct callee_bound *b, bool answered);
/* Opens or closes the breaker. Any thread. */
void callee_bound_set_open(struct callee_bound *b, bool open);

#endif
