/* Shared by the files of notification_service. */
#ifndef SERVICES_NOTIFICATION_NOTIFICATION_H
#define SERVICES_NOTIFICATION_NOTIFICATION_H

#include "bus/bus.h"
#include "services/notification/notification.service.h"
#include "services/notification/types.h"
#include "services/services.h"

/* Aggregate: the notification; object: its owner. Changed: it is new, has more actors, or is back in the list. Removed:
 * its owner removed it, or read it in the chat. */
#define EVENT_NOTIFICATION_CHANGED "notification.changed"
#define EVENT_NOTIFICATION_REMOVED "notification.removed"
/* Aggregate: a note; object, actor: the first and the last of those to whom it was added as a new note, in the order of
 * their IDs: one event for up to a thousand. */
#define EVENT_NOTIFICATION_SPREAD "notification.spread"
/* The same of a chat. Version: the least chat_seq among their notifications; those of other members are behind it. */
#define EVENT_NOTIFICATION_CHAT_SPREAD "notification.chat_spread"
/* As the first two; actor: the member who undid something. The notification may be gone as a result. */
#define EVENT_NOTIFICATION_UNDONE "notification.undone"
/* Aggregate and object: the member whose notifications were read or seen. */
#define EVENT_NOTIFICATION_COUNTED "notification.counted"

/* store_export.c */
extern const struct service_export notification_exports[];

#endif
