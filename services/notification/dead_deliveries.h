/* Deliveries that failed permanently. They are stored as dead letters like those of events: `sonet admin deadletters`
 * lists and resends them. */
#ifndef SERVICES_NOTIFICATION_DEAD_DELIVERIES_H
#define SERVICES_NOTIFICATION_DEAD_DELIVERIES_H

#include "db/db.h"
#include "services/notification/decide.h"
#include "services/notification/notification_rows.rpc.h"

/* Adds a row of the queue, in the transaction that removes it from there. target_id: one subscription, or "" for all
 * that the row is for. error: the provider's answer, which must not contain a member's address. */
SN_CHECKED sn_status dead_deliveries_add(struct db_tx *tx, const NotificationRows__Queued *row, enum channel channel,
                                         const char *target_id, const char *error);
/* Deletes at most limit of those that are older than days. */
SN_CHECKED sn_status dead_deliveries_prune(struct db_tx *tx, int64_t days, int64_t limit, int64_t *n);

#endif
