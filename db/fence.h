/* Fence: no write of a former owner takes effect after the next owner has started to read.
 *
 * Every write transaction of an owner takes the fence's lock in shared mode, and then checks that its lease's
 * session is alive: both in the round trip of BEGIN. The next owner, once it has the lease, takes the lock
 * exclusively before it reads its first row. A transaction of the former owner that had the shared lock is over when
 * the exclusive one is granted; one that gets it later finds the session gone and does nothing. No clocks are
 * involved. */
#ifndef DB_FENCE_H
#define DB_FENCE_H

#include "db/lease_session.h"

struct db_fence {
        bool on;
        const char *service;
        int64_t writers; /* the advisory lock that writers share */
        int64_t alive;   /* held by the lease's session; 0 while there is none: no writes are allowed */
};

void db_fence_init(struct db_fence *fence, const char *service);

/* With the lease held, on its session: waits until the writes of the former owner are over, and notes it in s->fenced;
 * those that are not over at until_us (monotonic) lose their connections. False: not yet, try again. */
bool db_fence_wait(const struct db_fence *fence, struct lease_session *s, int64_t until_us);

#endif
