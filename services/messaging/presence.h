/* Who is told whether a member is here. */
#ifndef SERVICES_MESSAGING_PRESENCE_H
#define SERVICES_MESSAGING_PRESENCE_H

#include "base/call.h"
#include "services/messaging/messaging.h"

/* told[i]: viewers[i] is told of ids[i], which is so when each tells the other. At most PEOPLE_ASKED_MAX. Asks other
 * services. */
SN_CHECKED sn_status presence_check(struct rpc_call *c, char *const *viewers, char *const *ids, size_t n, bool **told);

#endif
