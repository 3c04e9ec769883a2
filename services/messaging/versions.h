/* The version of a message that a member may read: the newest one, or for a former member that of when they left. */
#ifndef SERVICES_MESSAGING_VERSIONS_H
#define SERVICES_MESSAGING_VERSIONS_H

#include "db/db.h"
#include "services/messaging/messaging.h"

/* The number of the last edit that the member may see. */
int64_t versions_end(const chat_member *member);
/* Replaces entries by copies where members[i] (may be NULL) may only read an older version; only then is the database
 * queried. */
SN_CHECKED sn_status versions_choose(struct rpc_call *c, const chat_member *const *members, chat_entry **entries,
                                     size_t n);

#endif
