/* Follows which members are hidden: their media have no plain URLs meanwhile, whatever shows them. */
#include <string.h>
#include "services/media/media.h"
#include "services/media/served.h"
#include "services/media/store.h"
#include "services/user/user.rpc.h"

#define HIDDEN "user.hidden"

static sn_status follow_owners(struct rpc_call *c, struct bus_batch *batch)
{
        CLEANUP(db_end) struct db_tx *tx = NULL;

        TRY(bus_begin(c, batch, &tx));
        served_forget(tx);
        for (size_t i = 0; i < batch->n; i++) {
                const bus_event *event = batch->events[i];

                TRY(store_hide_owner(tx, event->aggregate_id, strcmp(event->type, HIDDEN) == 0));
        }
        return bus_commit(c, batch, &tx);
}

static const char *const types[] = {HIDDEN, "user.shown", NULL};

const struct bus_consumer media_owners = {
    .name = "owners",
    .source = "user",
    .read_outbox = &user_methods[USER_READ_OUTBOX],
    .types = types,
    .handle = follow_owners,
};
