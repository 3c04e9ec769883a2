/* Events that notify members, as declared in events.def.h. */
#ifndef SERVICES_NOTIFICATION_EVENTS_H
#define SERVICES_NOTIFICATION_EVENTS_H

#include "services/notification/notification.h"

/* All event types in the rows, of all sources; NULL-terminated. */
extern const char *const event_types[];
/* Whether an event can undo events of this type. */
bool events_can_undo(enum notification_type type);
/* Handler for the consumer of any one source. Applies the rows to a batch exactly once. */
SN_CHECKED sn_status events_handle(struct rpc_call *c, struct bus_batch *batch);

#endif
