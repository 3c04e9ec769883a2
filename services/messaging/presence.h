/* Who may see whether a member is online. */
#ifndef SERVICES_MESSAGING_PRESENCE_H
#define SERVICES_MESSAGING_PRESENCE_H

#include "base/call.h"
#include "services/messaging/messaging.h"

/* told[i]: viewers[i] may see ids[i], which requires that both disclose it to each other. At most PEOPLE_ASKED_MAX.
 * Calls other services. */
SN_CHECKED sn_status presence_check(struct rpc_call *c, char *const *viewers, char *const *ids, size_t n, bool **told);

#endif
