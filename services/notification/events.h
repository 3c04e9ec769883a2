/* Events that notify members, by the rows of events.def.h. */
#ifndef SERVICES_NOTIFICATION_EVENTS_H
#define SERVICES_NOTIFICATION_EVENTS_H

#include "services/notification/notification.h"

/* All that the rows name, of every source; NULL ends them. */
extern const char *const event_types[];
/* Of a consumer of one source: what the rows say of a batch, exactly once. */
SN_CHECKED sn_status events_handle(struct rpc_call *c, struct bus_batch *batch);

#endif
