/* Owns turning what consumers collected into notifications. */
#include "services/notification/notify.h"

#include "base/fault.h"
#include "db/db.h"

/* bus_begin may skip events at the beginning of the batch, which were handled before. Most events notify nobody: of
 * these only the position is stored, by the lane and once for many batches. */
sn_status notify_batch(struct rpc_call *c, struct bus_batch *batch, notify_collect *collect)
{
        CLEANUP(db_end) struct db_tx *tx = NULL;
        struct arrivals arrivals;
        size_t n = batch->n;

        arrivals_start(&arrivals, c);
        TRY(collect(&arrivals, batch));
        if (arrivals.n == 0) {
                return SN_OK;
        }
        TRY(arrivals_decide(&arrivals));
        TRY(bus_begin(c, batch, &tx));
        TRY(arrivals_store(&arrivals, tx, n - batch->n));
        TRY(bus_commit(c, batch, &tx));
        fault_point("notified");
        return SN_OK;
}

sn_status notify_portion(struct arrivals *a)
{
        TRY(arrivals_decide(a));
        TRY(DB_WRITE(a->c, tx, arrivals_store(a, tx, 0)));
        fault_point("portion_notified");
        return SN_OK;
}
