/* SQL on media_access_logs. */
#ifndef SERVICES_MEDIA_STORE_ACCESS_LOGS_H
#define SERVICES_MEDIA_STORE_ACCESS_LOGS_H

#include "base/uuid.h"
#include "db/db.h"
#include "services/media/media_accesses.rpc.h"
#include "services/page.h"

enum { ACCESS_BATCH = 500, VARIANT_SIZE = 21 };

struct access_entry {
        char media_id[UUID_SIZE], owner_id[UUID_SIZE], viewer_id[UUID_SIZE];
        char variant[VARIANT_SIZE];
        bool granted;
        int64_t times, at_ms;
};

struct access_batch {
        size_t n;
        struct access_entry entries[ACCESS_BATCH];
};

SN_CHECKED sn_status store_insert_accesses(struct db_tx *tx, const struct access_batch *batch);
SN_CHECKED sn_status store_list_accesses(struct db_tx *tx, const char *media_id, const struct page_scan *scan,
                                         size_t *n, MediaAccesses__MediaAccess ***rows);
/* Removes a batch of entries older than 30 days. */
SN_CHECKED sn_status store_remove_accesses(struct rpc_call *c, bool *more);
/* Erases accesses to a member's media and by the member, at most limit. *n: how many were erased. */
SN_CHECKED sn_status store_erase_accesses(struct db_tx *tx, const char *member_id, size_t limit, size_t *n);

#endif
