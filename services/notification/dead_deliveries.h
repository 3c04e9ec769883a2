/* Deliveries that were given up. They are dead letters beside those of events: `sonet admin deadletters` lists them,
 * and has them sent again. */
#ifndef SERVICES_NOTIFICATION_DEAD_DELIVERIES_H
#define SERVICES_NOTIFICATION_DEAD_DELIVERIES_H

#include "db/db.h"
#include "services/notification/decide.h"
#include "services/notification/notification_rows.rpc.h"

/* A row of the queue, in the transaction that takes it out. target_id: one subscription, or "" for whatever the row is
 * for. error: what the provider said; never an address of a member. */
SN_CHECKED sn_status dead_deliveries_add(struct db_tx *tx, const NotificationRows__Queued *row, enum channel channel,
                                         const char *target_id, const char *error);
/* At most so many of those that are so old. */
SN_CHECKED sn_status dead_deliveries_prune(struct db_tx *tx, int64_t days, int64_t limit, int64_t *n);

#endif
