/* Keeps tails short: what is beyond them is read from note_service on demand. Drops the timelines of inactive
 * members: delivery skips them, and a returning member gets a new one. */
#include "services/timeline/timeline.h"

#include "services/timeline/store.h"

/* A tail has at most about 1,500 entries, so a portion deletes at most 20,000 rows. */
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
