/* Owns when it is said anew which notes the newest 16, 32, 64 and so on are, and the most engaged ones (windows.c).
 */
#include "services/jobs.h"
#include "services/search/store.h"

static sn_status make(struct db_tx *tx)
{
        TRY(db_lock_one(tx, "steps", ""));
        return store_make_steps(tx);
}

static sn_status make_steps(struct rpc_call *c, bool *more)
{
        return DB_WRITE(c, tx, make(tx));
}

const struct service_job search_steps = {.name = "make_steps", .every_s = 900, .run = make_steps};
