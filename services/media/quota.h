/* Members' quotas. */
#ifndef SERVICES_MEDIA_QUOTA_H
#define SERVICES_MEDIA_QUOTA_H

#include "db/db.h"

/* Locks a member's quota. SN_RESOURCE_EXHAUSTED, code quota_exceeded (507), with how much is left, if it has no room
 * for bytes more. */
SN_CHECKED sn_status quota_admit(struct db_tx *tx, const char *user_id, int64_t bytes);
/* The same without a lock, as an early check: the quota may change before the upload is complete. */
SN_CHECKED sn_status quota_expect(struct db_tx *tx, const char *user_id, int64_t bytes);
/* Locks the quota. SN_RESOURCE_EXHAUSTED, code too_many_pending (429), if MEDIA_PENDING of the member's media wait to
 * be processed. */
SN_CHECKED sn_status queue_admit(struct db_tx *tx, const char *user_id);

#endif
