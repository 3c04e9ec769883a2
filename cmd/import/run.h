/* The import itself: members, then follows, then notes, each by several workers at once. */
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

/* Shows its progress on standard output. SN_CANCELLED when asked to stop; otherwise error gets a sentence. */
SN_CHECKED sn_status import_run(const struct import_job *job, struct buf *error);

#endif
