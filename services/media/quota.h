/* What members may keep. */
#ifndef SERVICES_MEDIA_QUOTA_H
#define SERVICES_MEDIA_QUOTA_H

#include "db/db.h"

/* Locks a member's quota, and refuses when bytes more do not fit: SN_RESOURCE_EXHAUSTED, code quota_exceeded (507),
 * with how much is left. */
SN_CHECKED sn_status quota_admit(struct db_tx *tx, const char *user_id, int64_t bytes);
/* The same by what it is now: nothing is locked, so it says only what would be in vain. */
SN_CHECKED sn_status quota_expect(struct db_tx *tx, const char *user_id, int64_t bytes);
/* Locks it, and refuses when MEDIA_PENDING of the member's media wait to be processed: SN_RESOURCE_EXHAUSTED, code
 * too_many_pending (429). */
SN_CHECKED sn_status queue_admit(struct db_tx *tx, const char *user_id);

#endif
