/* What other services did, counted as events of the member who did it. */
#ifndef SERVICES_ANALYTICS_COUNT_EVENTS_H
#define SERVICES_ANALYTICS_COUNT_EVENTS_H

#include "bus/bus.h"

/* The handler of consumers whose events count under their own types. Who does not want to be counted is nobody in
 * particular there. */
SN_CHECKED sn_status count_events(struct rpc_call *c, struct bus_batch *batch);

#endif
