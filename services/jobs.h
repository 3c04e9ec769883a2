/* Jobs: work of services outside requests: scheduled, or announced by a transaction. */
#ifndef SERVICES_JOBS_H
#define SERVICES_JOBS_H

#include "base/service.h"
#include "db/db.h"

struct service_job {
        const char *name;
        int every_s; /* the longest interval: for unannounced work, as after a crash */
        bool eager;  /* others wait for it: portions follow each other without a pause */
        /* How many portions may run at a time in this process, asked at start; NULL: one. */
        int (*parallel)(void);
        /* A portion that takes a second at most. more: set if further work is due; the next portion follows after a
         * pause as long as this one took. A failure is logged and retried after a second, then with growing delays. */
        sn_status (*run)(struct rpc_call *c, bool *more);
        /* Called when nothing more is due: in how many ms something will be, at most wait_ms (initially every_s).
         * NULL: everything that is not due at once is announced. */
        sn_status (*next)(struct rpc_call *c, int64_t *wait_ms);
};

/* In the transaction that creates work: after its commit the job runs in this process. If the process ends first,
 * another one's interval expires eventually. */
void jobs_announce(struct db_tx *tx, const struct service_job *job);
/* For work that no transaction creates. */
void jobs_announce_now(const struct service_job *job);

/* Whether this process is about to end, or runs no jobs: longer work should be abandoned. */
bool jobs_stopping(void);

/* For next: the statement returns "wait_ms", NULL if nothing will be due. */
SN_CHECKED sn_status jobs_read_wait(struct db_tx *tx, const struct db_statement *s, int64_t *wait_ms);

/* Runs jobs in the order of their due times, each on its own thread, so that none waits for another. */
struct jobs;
struct jobs *jobs_new(void);
/* Before jobs_start, for a service that has started. */
void jobs_add(struct jobs *jobs, struct service *service, const struct service_job *job);
void jobs_start(struct jobs *jobs);
/* Waits for running jobs. Takes NULL. */
void jobs_free(struct jobs *jobs);

#endif
