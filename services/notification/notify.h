/* From events to notifications: what the consumers share. Each says only whom its events concern. */
#ifndef SERVICES_NOTIFICATION_NOTIFY_H
#define SERVICES_NOTIFICATION_NOTIFY_H

#include "services/notification/arrivals.h"

/* Adds the arrivals of a batch, each with the index of its event. May ask other services. */
typedef sn_status notify_collect(struct arrivals *a, const struct bus_batch *batch);

/* Handles a whole batch exactly once. */
SN_CHECKED sn_status notify_batch(struct rpc_call *c, struct bus_batch *batch, notify_collect *collect);
/* Handles what was collected of a portion of a batch. The position is stored later, so it may be handled again: that
 * must add nothing (arrivals_store). */
SN_CHECKED sn_status notify_portion(struct arrivals *a);

#endif
