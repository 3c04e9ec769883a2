/* Shared by the subscriptions of browsers and of devices. */
#ifndef SERVICES_NOTIFICATION_SUBSCRIPTIONS_H
#define SERVICES_NOTIFICATION_SUBSCRIPTIONS_H

#include "db/db.h"
#include "services/notification/notification_rows.rpc.h"

/* Adds a subscription of the caller's session. SN_FAILED_PRECONDITION at the member's limit. */
SN_CHECKED sn_status subscriptions_add(struct db_tx *tx, const NotificationRows__Subscription *row,
                                       NotificationRows__Subscription *stored);
/* Ends one of the caller's subscriptions. */
SN_CHECKED sn_status subscriptions_end(struct db_tx *tx, const char *id);

#endif
