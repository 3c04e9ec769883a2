/* The log of who fetched media that are not public, or was refused them. */
#ifndef SERVICES_MEDIA_ACCESS_LOG_H
#define SERVICES_MEDIA_ACCESS_LOG_H

#include "base/call.h"

struct media_access {
        const char *media_id, *owner_id;
        const char *viewer_id; /* "": nobody who was logged in */
        const char *variant;
        bool granted;
};

/* Notes one; it is in the database within about a second. What a process that is killed has not written yet is lost. In
 * no transaction: when many wait, the caller writes them. Never fails the request: what cannot be kept is logged. */
void access_log_add(struct rpc_call *c, const struct media_access *access);
/* Writes what waits. On failure it waits on, unless as much has come since. */
SN_CHECKED sn_status access_log_flush(struct rpc_call *c);

#endif
