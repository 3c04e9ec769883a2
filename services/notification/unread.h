/* The counts of notifications: of those that a list would show at this moment. */
#ifndef SERVICES_NOTIFICATION_UNREAD_H
#define SERVICES_NOTIFICATION_UNREAD_H

#include "base/call.h"
#include "services/notification/notification.rpc.h"

/* Counts up to 100, of the newest 1,010 that are not read. */
SN_CHECKED sn_status unread_count(struct rpc_call *c, const char *reader, Notification__UnreadCount *out);
/* The same after a commit, when the request must not fail any more: what cannot be counted now is `more`. */
sn_status unread_count_committed(struct rpc_call *c, const char *reader, Notification__UnreadCount *out);

#endif
