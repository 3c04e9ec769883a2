/* Deletes notifications that are older than 90 days. */
#include "services/notification/notification.h"

#include "services/notification/store.h"

enum { KEPT_DAYS = 90, ROWS_AT_ONCE = 1000 };

static sn_status prune(struct rpc_call *c, bool *more)
{
        int64_t n = 0;

        TRY(DB_WRITE(c, tx, store_prune(tx, KEPT_DAYS, ROWS_AT_ONCE, &n)));
        *more = n == ROWS_AT_ONCE;
        return SN_OK;
}

const struct service_job notification_prune = {.name = "prune_notifications", .every_s = 600, .run = prune};
