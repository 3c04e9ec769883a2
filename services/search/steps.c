/* The job that refreshes the boundaries of the newest and most engaged 16, 32, 64 … notes, and the oldest note
 * (windows.c). */
#include "services/jobs.h"
#include "services/search/store.h"

static sn_status refresh_steps(struct db_tx *tx)
{
        TRY(db_lock_one(tx, "steps", ""));
        return store_make_steps(tx);
}

static sn_status make_steps(struct rpc_call *c, bool *more)
{
        return DB_WRITE(c, tx, refresh_steps(tx));
}

const struct service_job search_steps = {.name = "make_steps", .every_s = 900, .run = make_steps};
