/* Lists of notifications as the reader may see them. */
#ifndef SERVICES_NOTIFICATION_LIST_H
#define SERVICES_NOTIFICATION_LIST_H

#include "services/notification/notification.rpc.h"
#include "services/notification/store.h"

/* Reads a page. name: the list's name, which its cursors are bound to. */
SN_CHECKED sn_status list_read(struct rpc_call *c, struct list_filter *filter, const char *name, const char *cursor,
                               uint32_t limit, Notification__NotificationList *out);

#endif
