/* SQL of checking media (check.h). */
#ifndef SERVICES_MEDIA_STORE_CHECK_H
#define SERVICES_MEDIA_STORE_CHECK_H

#include "db/db.h"
#include "services/media/media_rows.rpc.h"

/* The names of all blobs with this first byte that rows refer to. */
SN_CHECKED sn_status store_referred(struct db_tx *tx, unsigned first_byte, size_t *n, char ***names);
/* Ids of chunks in order, after after_id or "". */
SN_CHECKED sn_status store_chunk_ids(struct db_tx *tx, const char *after, size_t limit, size_t *n, char ***ids);
/* At most a thousand. */
SN_CHECKED sn_status store_quota_differences(struct db_tx *tx, size_t *n, MediaRows__QuotaDifference ***rows);

#endif
