/* Deletes notifications after 90 days, delivery logs and dead deliveries after 30 days, and phone codes and effects of
 * undone events after a day. */
#include "services/notification/notification.h"

#include "services/notification/dead_deliveries.h"
#include "services/notification/store.h"

enum { KEPT_DAYS = 90, LOGS_KEPT_DAYS = 30, ROWS_AT_ONCE = 1000 };

static sn_status prune_some(struct rpc_call *c, bool *more)
{
        int64_t n = 0, n_logs = 0, n_dead = 0, n_codes = 0, n_effects = 0;

        TRY(DB_WRITE(c, tx, store_prune(tx, KEPT_DAYS, ROWS_AT_ONCE, &n)));
        TRY(DB_WRITE(c, tx, store_prune_logs(tx, LOGS_KEPT_DAYS, ROWS_AT_ONCE, &n_logs)));
        TRY(DB_WRITE(c, tx, dead_deliveries_prune(tx, LOGS_KEPT_DAYS, ROWS_AT_ONCE, &n_dead)));
        TRY(DB_WRITE(c, tx, store_prune_codes(tx, ROWS_AT_ONCE, &n_codes)));
        TRY(DB_WRITE(c, tx, store_prune_effects(tx, ROWS_AT_ONCE, &n_effects)));
        *more = n_effects == ROWS_AT_ONCE || n == ROWS_AT_ONCE || n_logs == ROWS_AT_ONCE || n_dead == ROWS_AT_ONCE ||
                n_codes == ROWS_AT_ONCE;
        return SN_OK;
}

const struct service_job notification_prune = {.name = "prune_notifications", .every_s = 600, .run = prune_some};
