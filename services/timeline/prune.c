/* Keeps tails short: what is beyond them is pulled when somebody reads that far. */
#include "services/timeline/handlers.h"
#include "services/timeline/store.h"

static sn_status run(struct rpc_call *c)
{
        CLEANUP(db_rollback_p) struct db_tx *tx = NULL;
        int64_t deleted = 0;

        TRY(db_begin(c, &tx));
        TRY(store_prune(tx, &deleted));
        return db_commit(c, NULL, &tx);
}

const struct service_job timeline_prune = {.name = "prune_timelines", .every_s = 3600, .run = run};
