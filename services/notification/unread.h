/* Counts of unread notifications that lists would show now. */
#ifndef SERVICES_NOTIFICATION_UNREAD_H
#define SERVICES_NOTIFICATION_UNREAD_H

#include "base/call.h"
#include "services/notification/notification.rpc.h"

/* Counts up to 100, among the newest 1,010 unread. */
SN_CHECKED sn_status unread_count(struct rpc_call *c, const char *reader, Notification__UnreadCount *out);
/* The same after a commit, when the request must not fail any more: if counting fails, the answer says `more`. */
sn_status unread_count_committed(struct rpc_call *c, const char *reader, Notification__UnreadCount *out);

#endif
