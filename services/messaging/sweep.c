/* Forgets what was so for a moment: who wrote. */
#include "services/messaging/messaging.h"

#include "services/messaging/store_typing.h"

static sn_status run(struct rpc_call *c, bool *more)
{
        return DB_WRITE(c, tx, typing_store_sweep(tx));
}

const struct service_job messaging_sweep = {.name = "sweep_typing", .every_s = 60, .run = run};
