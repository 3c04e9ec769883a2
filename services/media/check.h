/* Holding what rows say against what is there. It changes nothing, and media may come and go meanwhile. */
#ifndef SERVICES_MEDIA_CHECK_H
#define SERVICES_MEDIA_CHECK_H

#include "base/call.h"

struct media_check {
        void (*say)(const char *problem); /* called for each */
        int64_t blobs, chunks;            /* that rows refer to */
        int64_t problems;
};

/* Rows whose file is not there, files of a day of which no row knows, members whose quota counts other than what their
 * rows sum up to. */
SN_CHECKED sn_status media_check(struct rpc_call *c, struct media_check *check);

#endif
