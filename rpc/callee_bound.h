/* Keeps a service that is not responding from occupying all threads of its callers: a limit on concurrent calls to
 * it, and a circuit breaker.
 *
 * A call that finds the limit reached waits as long as the callee keeps responding; once it has not responded for a
 * second (or since a call was lost), the call fails immediately. The breaker is opened when the callee's process is
 * seen to hang and closed when it responds again; while it is open every call fails immediately. */
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
        int64_t answered_us; /* the last response, or when the first call started to wait for one */
        bool failing;        /* the last call ended without a response */
        atomic_bool open;
        struct metric *breaker, *refused;
};

/* max_calls: concurrent calls; name: the callee's, in metrics. */
void callee_bound_init(struct callee_bound *b, int max_calls, const char *name);
void callee_bound_end(struct callee_bound *b);
/* False: the callee is not responding. May block, at most until the monotonic deadline. */
bool callee_bound_enter(struct callee_bound *b, int64_t deadline_us);
/* answered: whether the callee responded, with whatever status. */
void callee_bound_leave(struct callee_bound *b, bool answered);
/* Opens or closes the breaker. Any thread. */
void callee_bound_set_open(struct callee_bound *b, bool open);

#endif
