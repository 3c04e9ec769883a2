/* Keeps tails short: what is beyond them is pulled when somebody reads that far. Forgets those of members who stay
 * away: delivery passes them over, and who returns gets a new one. */
#include "services/timeline/timeline.h"

#include <stdio.h>
#include "services/timeline/store.h"

#define OWNERS_AT_ONCE 200
#define STEPS          50

static sn_status next_owners(struct rpc_call *c, const char *after, size_t *n, TimelineRows__Owner ***owners)
{
        CLEANUP(db_rollback_p) struct db_tx *tx = NULL;

        TRY(db_read(c, &tx));
        return store_next_owners(tx, after, OWNERS_AT_ONCE, n, owners);
}

static sn_status prune(struct rpc_call *c, TimelineRows__Owner *const *owners, size_t n)
{
        CLEANUP(db_rollback_p) struct db_tx *tx = NULL;

        TRY(db_begin(c, &tx));
        TRY(store_prune(tx, owners, n));
        return db_commit(c, NULL, &tx);
}

/* Some owners; the nil position when there are no more. */
static sn_status prune_next(struct rpc_call *c, char after[UUID_SIZE])
{
        TimelineRows__Owner **owners = NULL;
        size_t n = 0;

        TRY(next_owners(c, after, &n, &owners));
        if (n > 0) {
                TRY(prune(c, owners, n));
        }
        (void)snprintf(after, UUID_SIZE, "%s", n == OWNERS_AT_ONCE ? owners[n - 1]->owner_id : "");
        return SN_OK;
}

/* A round over all owners takes as many minutes as it takes: neither a statement nor a lock nor the job lasts. */
static sn_status run(struct rpc_call *c)
{
        static char after[UUID_SIZE]; /* of the jobs' thread */

        for (int i = 0; i < STEPS; i++) {
                struct arena_mark mark = arena_mark(c->arena);

                TRY(prune_next(c, after));
                arena_reset(c->arena, mark);
                if (after[0] == '\0') {
                        break;
                }
        }
        return SN_OK;
}

const struct service_job timeline_prune = {.name = "prune_timelines", .every_s = 60, .run = run};
