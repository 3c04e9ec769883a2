/* Deletes uploads that received nothing for a day. */
#include "services/media/upload.h"

enum { UPLOADS_AT_ONCE = 5 }; /* each may have thousands of pieces */

static sn_status drop_some(struct db_tx *tx, bool *more)
{
        MediaRows__StoredUpload **uploads = NULL;
        size_t n = 0;

        TRY(store_expired_uploads(tx, UPLOADS_AT_ONCE, &n, &uploads));
        for (size_t i = 0; i < n; i++) {
                TRY(upload_drop(tx, uploads[i]));
        }
        *more = n == UPLOADS_AT_ONCE;
        return SN_OK;
}

static sn_status expire_some(struct rpc_call *c, bool *more)
{
        return DB_WRITE(c, tx, drop_some(tx, more));
}

const struct service_job media_expire_uploads = {.name = "expire_uploads", .every_s = 60, .run = expire_some};
