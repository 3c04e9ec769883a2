/* Erases deleted members. */
#include "services/analytics/analytics.h"

#include "services/analytics/store.h"
#include "services/user/user.rpc.h"

static sn_status erase_batch(struct rpc_call *c, struct bus_batch *batch)
{
        CLEANUP(db_end) struct db_tx *tx = NULL;

        TRY(bus_begin(c, batch, &tx));
        for (size_t i = 0; i < batch->n; i++) {
                TRY(store_forget_member(tx, batch->events[i]->aggregate_id));
        }
        return bus_commit(c, batch, &tx);
}

static const char *const types[] = {"user.erased", NULL};

const struct bus_consumer analytics_erase = {
    .name = "erase",
    .source = "user",
    .read_outbox = &user_methods[USER_READ_OUTBOX],
    .types = types,
    .handle = erase_batch,
};
