/* Keeps tails short: what is beyond them is pulled when somebody reads that far. Forgets those of members who stay
 * away: delivery passes them over, and who returns gets a new one. */
#include "services/timeline/timeline.h"

#include "services/timeline/store.h"

/* A tail is at most some 1,500 entries long: a portion deletes 20,000 rows at most. */
#define CUT_AT_ONCE    30
#define FORGET_AT_ONCE 12

static sn_status cut_some(struct rpc_call *c, bool *more)
{
        size_t n = 0;

        TRY(DB_WRITE(c, tx, store_cut_grown(tx, CUT_AT_ONCE, &n)));
        *more = n == CUT_AT_ONCE;
        return SN_OK;
}

static sn_status forget_some(struct rpc_call *c, bool *more)
{
        size_t n = 0;

        TRY(DB_WRITE(c, tx, store_forget_unread(tx, FORGET_AT_ONCE, &n)));
        *more = n == FORGET_AT_ONCE;
        return SN_OK;
}

static sn_status prune_some(struct rpc_call *c, bool *more)
{
        bool grown = false, unread = false;

        TRY(cut_some(c, &grown));
        TRY(forget_some(c, &unread));
        *more = grown || unread;
        return SN_OK;
}

const struct service_job timeline_prune = {.name = "prune_timelines", .every_s = 60, .run = prune_some};
