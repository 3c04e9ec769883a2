/* Stored aggregation rules. They are read each time they are needed, so a change takes effect at once in all processes.
 */
#ifndef SERVICES_NOTIFICATION_AGGREGATION_RULES_H
#define SERVICES_NOTIFICATION_AGGREGATION_RULES_H

#include "db/db.h"
#include "services/notification/aggregation.h"

/* Loads the rules of all types, in the arena of the call. */
SN_CHECKED sn_status aggregation_load(struct db_tx *tx, const struct aggregation **out);

#endif
