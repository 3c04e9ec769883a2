/* Forgets who read home timelines a month ago. */
#include "services/timeline/timeline.h"

#include "services/timeline/store.h"

#define FORGET_AT_ONCE 500

static sn_status prune_some(struct rpc_call *c, bool *more)
{
        size_t n = 0;

        TRY(DB_WRITE(c, tx, store_forget_unread(tx, FORGET_AT_ONCE, &n)));
        *more = n == FORGET_AT_ONCE;
        return SN_OK;
}

const struct service_job timeline_prune = {.name = "prune_timelines", .every_s = 60, .run = prune_some};
