/* The import: members, then follows, then notes, each by several workers in parallel. */
#ifndef CMD_IMPORT_RUN_H
#define CMD_IMPORT_RUN_H

#include <signal.h>
#include "cmd/http_client.h"
#include "cmd/import/plan.h"

struct import_job {
        const struct import_plan *plan;
        const struct http_target *target;
        const char *password;
        int workers;
        volatile sig_atomic_t *stop;
};

/* Prints progress on standard output. SN_CANCELLED if stopping was requested; otherwise error gets a sentence. */
SN_CHECKED sn_status import_run(const struct import_job *job, struct buf *error);

#endif
