/* Owns the refusal of what a member's quota does not hold. */
#include "services/media/quota.h"

#include <inttypes.h>
#include "services/media/media.h"
#include "services/media/store.h"

sn_status quota_admit(struct db_tx *tx, const char *user_id, int64_t bytes)
{
        MediaRows__Quota quota = MEDIA_ROWS__QUOTA__INIT;

        TRY(store_lock_quota(tx, user_id, &quota));
        int64_t left = media_limits.quota_bytes - quota.used_bytes - quota.reserved_bytes;
        if (bytes <= left) {
                return SN_OK;
        }
        return rpc_fail_code(db_call(tx), SN_RESOURCE_EXHAUSTED, "quota_exceeded", NULL,
                             "this needs %" PRId64 " bytes, and of your %" PRId64 " you have %" PRId64
                             " left; delete something first",
                             bytes, media_limits.quota_bytes, left > 0 ? left : 0);
}
