/* Finding members by name. */
#ifndef SERVICES_USER_SEARCH_H
#define SERVICES_USER_SEARCH_H

#include "db/db.h"

/* From this transaction on the member is found by this display name and by username; not at all if not discoverable
 * or deactivated. search_service is informed (user.changed). */
SN_CHECKED sn_status search_index_names(struct db_tx *tx, const char *user_id, const char *display_name);

#endif
