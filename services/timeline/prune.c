/* Keeps tails short: what is beyond them is pulled when somebody reads that far. Forgets those of members who stay
 * away: delivery passes them over, and who returns gets a new one. */
#include "services/timeline/timeline.h"

#include <stdio.h>
#include "services/timeline/store.h"

#define OWNERS_AT_ONCE 200

/* Some owners. A round over all of them takes as many portions as it takes: neither a statement nor a lock lasts. */
static sn_status prune_next(struct rpc_call *c, bool *more)
{
        static char after[UUID_SIZE]; /* this job runs once at a time */
        TimelineRows__Owner **owners = NULL;
        size_t n = 0;

        TRY(DB_READ(c, tx, store_next_owners(tx, after, OWNERS_AT_ONCE, &n, &owners)));
        if (n > 0) {
                TRY(DB_WRITE(c, tx, store_prune(tx, owners, n)));
        }
        *more = n == OWNERS_AT_ONCE;
        (void)snprintf(after, UUID_SIZE, "%s", *more ? owners[n - 1]->owner_id : "");
        return SN_OK;
}

const struct service_job timeline_prune = {.name = "prune_timelines", .every_s = 600, .run = prune_next};
