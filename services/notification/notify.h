/* Shared by the consumers that turn events into notifications. Each only determines whom its events concern. */
#ifndef SERVICES_NOTIFICATION_NOTIFY_H
#define SERVICES_NOTIFICATION_NOTIFY_H

#include "services/notification/arrivals.h"

/* Adds the arrivals of a batch, each with the index of its event. May call other services. */
typedef sn_status notify_collect(struct arrivals *a, const struct bus_batch *batch);

/* Handles a whole batch, and what it notifies of exactly once. */
SN_CHECKED sn_status notify_batch(struct rpc_call *c, struct bus_batch *batch, notify_collect *collect);
/* Handles what was collected from a portion of a batch. The position is stored later, so a portion may be handled
 * again, which adds nothing (see arrivals_store). */
SN_CHECKED sn_status notify_portion(struct arrivals *a);

#endif
