/* Keeps tails short: what is beyond them is pulled when somebody reads that far. Forgets those of members who stay
 * away: delivery passes them over, and who returns gets a new one. */
#include "services/timeline/handlers.h"

#include <string.h>
#include "services/timeline/store.h"

#define OWNERS_AT_ONCE 200

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

/* All owners, some at a time, so that neither a statement nor a lock lasts. */
static sn_status run(struct rpc_call *c)
{
        char after[UUID_SIZE] = "";
        size_t n = OWNERS_AT_ONCE;

        while (n == OWNERS_AT_ONCE) {
                struct arena_mark mark = arena_mark(c->arena);
                TimelineRows__Owner **owners = NULL;

                TRY(next_owners(c, after, &n, &owners));
                if (n > 0) {
                        memcpy(after, owners[n - 1]->owner_id, UUID_SIZE);
                        TRY(prune(c, owners, n));
                }
                arena_reset(c->arena, mark);
        }
        return SN_OK;
}

const struct service_job timeline_prune = {.name = "prune_timelines", .every_s = 3600, .run = run};
