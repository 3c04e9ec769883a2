/* Checks rows against files. It changes nothing, and media may be added and removed meanwhile. */
#ifndef SERVICES_MEDIA_CHECK_H
#define SERVICES_MEDIA_CHECK_H

#include "base/call.h"

struct media_check {
        void (*say)(const char *problem); /* called for each problem */
        int64_t blobs, chunks;            /* referred to by rows */
        int64_t problems;
};

/* Reports rows without files, files without rows that are older than a day, and members whose quota differs from the
 * sum of their rows. */
SN_CHECKED sn_status media_check(struct rpc_call *c, struct media_check *check);

#endif
