/* What the files of notification_service share. */
#ifndef SERVICES_NOTIFICATION_NOTIFICATION_H
#define SERVICES_NOTIFICATION_NOTIFICATION_H

#include "bus/bus.h"
#include "services/notification/notification.service.h"
#include "services/notification/types.h"
#include "services/services.h"

/* Aggregate: the notification; object: whom it tells. Changed: it is new, others joined it, or it is back in the list.
 * Removed: its owner took it out of the list. */
#define EVENT_NOTIFICATION_CHANGED "notification.changed"
#define EVENT_NOTIFICATION_REMOVED "notification.removed"
/* Likewise; actor: who undid what they did. It may be gone with that. */
#define EVENT_NOTIFICATION_UNDONE "notification.undone"
/* Aggregate and object: the member whose notifications were read or seen. */
#define EVENT_NOTIFICATION_COUNTED "notification.counted"

/* store_export.c */
extern const struct service_export notification_exports[];

#endif
