/* Jobs: what services do by the clock, in one thread of the process. */
#ifndef CMD_SERVE_JOBS_H
#define CMD_SERVE_JOBS_H

#include "services/services.h"

struct jobs;

struct jobs *jobs_new(void);
/* Before jobs_start. Runs when the service is there: its lease, if it has one, is held by this process. */
void jobs_add(struct jobs *jobs, struct service *service, const struct service_job *job);
SN_CHECKED sn_status jobs_start(struct jobs *jobs);
/* Waits for the one that runs. Takes NULL. */
void jobs_free(struct jobs *jobs);

#endif
