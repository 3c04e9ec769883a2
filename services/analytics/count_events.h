/* Counts events of other services as those of the member who acted. */
#ifndef SERVICES_ANALYTICS_COUNT_EVENTS_H
#define SERVICES_ANALYTICS_COUNT_EVENTS_H

#include "bus/bus.h"

/* The handler of consumers whose events count under their own types. For members who do not consent only deletions are
 * recorded. */
SN_CHECKED sn_status count_events(struct rpc_call *c, struct bus_batch *batch);

#endif
