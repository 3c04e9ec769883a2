/* Jobs: what services do apart from requests: by the clock, and when work is there that a transaction announced. */
#ifndef SERVICES_JOBS_H
#define SERVICES_JOBS_H

#include "base/service.h"
#include "db/db.h"

struct service_job {
        const char *name;
        int every_s; /* the longest that it rests: for what nobody announced, as after a crash */
        bool eager;  /* others wait for what it does: its portions follow each other without a pause */
        /* A portion that takes a second at most. more: set when further work is due; the next portion comes after a
         * pause as long as this one took. One that fails is logged, and tried again after a second, then ever later. */
        sn_status (*run)(struct rpc_call *c, bool *more);
        /* Asked when nothing more is due: in how many ms something will be, wait_ms at most (every_s, as it comes).
         * NULL: what is not due at once is announced. */
        sn_status (*next)(struct rpc_call *c, int64_t *wait_ms);
};

/* In the transaction that makes work: once it commits, the job runs in this process. If the process ends first, another
 * one's rest is over in the end. */
void jobs_announce(struct db_tx *tx, const struct service_job *job);
/* For work that no transaction makes. */
void jobs_announce_now(const struct service_job *job);

/* Whether this process is about to end, or runs no jobs: what takes longer than a portion gives up. */
bool jobs_stopping(void);

/* For next: the statement gives "wait_ms", NULL when nothing is there that will be due. */
SN_CHECKED sn_status jobs_read_wait(struct db_tx *tx, const struct db_statement *s, int64_t *wait_ms);

/* Runs jobs in the order in which they are due, each run on a thread of its own: none waits for another. */
struct jobs;
struct jobs *jobs_new(void);
/* Before jobs_start, of a service that has started. */
void jobs_add(struct jobs *jobs, struct service *service, const struct service_job *job);
void jobs_start(struct jobs *jobs);
/* Waits for those that run. Takes NULL. */
void jobs_free(struct jobs *jobs);

#endif
