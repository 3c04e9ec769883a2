/* The log of who fetched, or was refused, media that are not public. */
#ifndef SERVICES_MEDIA_ACCESS_LOG_H
#define SERVICES_MEDIA_ACCESS_LOG_H

#include "base/call.h"

struct media_access {
        const char *media_id, *owner_id;
        const char *viewer_id; /* "" if not logged in */
        const char *variant;
        bool granted;
};

/* Records an access, which is written to the database within a few seconds; a process that is killed loses what it has
 * not written yet. No transaction may be open, since the caller writes the batch when it is large. Never fails the
 * request: accesses that cannot be kept are logged. */
void access_log_add(struct rpc_call *c, const struct media_access *access);
/* Writes the batch. If that fails the batch is kept, unless another one has filled up since. */
SN_CHECKED sn_status access_log_flush(struct rpc_call *c);

#endif
