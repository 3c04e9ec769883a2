/* Owns refusing uploads beyond a member's quota or with too many media waiting to be processed. */
#include "services/media/quota.h"

#include <inttypes.h>
#include "services/media/media.h"
#include "services/media/store.h"

sn_status queue_admit(struct db_tx *tx, const char *user_id)
{
        MediaRows__Quota quota = MEDIA_ROWS__QUOTA__INIT;
        int64_t n = 0;

        TRY(store_lock_quota(tx, user_id, &quota)); /* so that concurrent requests count each other */
        TRY(store_pending_jobs(tx, user_id, &n));
        return n < media_limits.pending
                   ? SN_OK
                   : rpc_fail_code(db_call(tx), SN_RESOURCE_EXHAUSTED, "too_many_pending", NULL,
                                   "%" PRId64 " of your media wait to be processed; try again when some are ready", n);
}

static sn_status check_quota(struct rpc_call *c, const MediaRows__Quota *quota, int64_t bytes)
{
        int64_t left = media_limits.quota_bytes - quota->used_bytes - quota->reserved_bytes;

        if (bytes <= left) {
                return SN_OK;
        }
        return rpc_fail_code(c, SN_RESOURCE_EXHAUSTED, "quota_exceeded", NULL,
                             "this needs %" PRId64 " bytes, but of your quota of %" PRId64 " bytes only %" PRId64
                             " are left; delete something first",
                             bytes, media_limits.quota_bytes, left > 0 ? left : 0);
}

sn_status quota_admit(struct db_tx *tx, const char *user_id, int64_t bytes)
{
        MediaRows__Quota quota = MEDIA_ROWS__QUOTA__INIT;

        TRY(store_lock_quota(tx, user_id, &quota));
        return check_quota(db_call(tx), &quota, bytes);
}

sn_status quota_expect(struct db_tx *tx, const char *user_id, int64_t bytes)
{
        MediaRows__Quota quota = MEDIA_ROWS__QUOTA__INIT;

        TRY(store_quota(tx, user_id, &quota));
        return check_quota(db_call(tx), &quota, bytes);
}
