/* The rules of aggregation as rows: read whenever they are needed, so that a change holds at once and everywhere. */
#ifndef SERVICES_NOTIFICATION_AGGREGATION_RULES_H
#define SERVICES_NOTIFICATION_AGGREGATION_RULES_H

#include "db/db.h"
#include "services/notification/aggregation.h"

/* Of all types, in the arena of the call. */
SN_CHECKED sn_status aggregation_load(struct db_tx *tx, const struct aggregation **out);

#endif
