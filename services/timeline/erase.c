/* Erases members whose accounts have ended: their notes from all home timelines, and their own timelines. */
#include "services/timeline/timeline.h"

#include <stdio.h>
#include "services/timeline/home_cache.h"
#include "services/timeline/home_memory.h"
#include "services/timeline/store.h"
#include "services/user/user.rpc.h"

enum { OWNERS_AT_ONCE = 200 };

/* Last, their own. Cached timelines hold IDs of authors, so all are rebuilt; while Redis is unreachable this waits. */
static sn_status finish_erasing(struct rpc_call *c, const char *id)
{
        TRY(DB_WRITE(c, tx, store_erase_owner(tx, id)));
        TRY(home_cache_clear(c));
        home_memory_clear(); /* after Redis, or readers would restore it */
        return SN_OK;
}

/* A portion of all owners; the cursor is the last one. */
static sn_status erase_batch(struct rpc_call *c, struct bus_batch *batch)
{
        const char *id = batch->events[0]->aggregate_id, *last = "";

        TRY(DB_WRITE(c, tx, store_erase_author(tx, id, batch->cursor, OWNERS_AT_ONCE, &last)));
        (void)snprintf(batch->cursor, sizeof(batch->cursor), "%s", last);
        batch->n_done = last[0] != '\0' ? 0 : 1;
        return last[0] != '\0' ? SN_OK : finish_erasing(c, id);
}

static const char *const types[] = {"user.erased", NULL};

const struct bus_consumer timeline_erase = {
    .name = "erase",
    .source = "user",
    .read_outbox = &user_methods[USER_READ_OUTBOX],
    .types = types,
    .handle = erase_batch,
};
