/* Jobs: what services do by the clock. */
#ifndef SERVICES_JOBS_H
#define SERVICES_JOBS_H

#include "base/service.h"
#include "base/call.h"

struct service_job {
        const char *name;
        int every_s;
        bool eager; /* others wait for what it does: its portions follow each other without a pause */
        /* A portion that takes a second at most. more: set when further work is due; the next portion comes after a
         * pause as long as this one took. A job that fails is logged, and called again when its time comes. */
        sn_status (*run)(struct rpc_call *c, bool *more);
};

/* Runs jobs in the order in which they are due, each run on a thread of its own: none waits for another. */
struct jobs;
struct jobs *jobs_new(void);
/* Before jobs_start, of a service that has started. */
void jobs_add(struct jobs *jobs, struct service *service, const struct service_job *job);
void jobs_start(struct jobs *jobs);
/* Waits for those that run. Takes NULL. */
void jobs_free(struct jobs *jobs);

#endif
