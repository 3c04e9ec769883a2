/* What members may keep. */
#ifndef SERVICES_MEDIA_QUOTA_H
#define SERVICES_MEDIA_QUOTA_H

#include "db/db.h"

/* Locks a member's quota, and refuses when bytes more do not fit: SN_RESOURCE_EXHAUSTED, code quota_exceeded (507),
 * with how much is left. */
SN_CHECKED sn_status quota_admit(struct db_tx *tx, const char *user_id, int64_t bytes);

#endif
