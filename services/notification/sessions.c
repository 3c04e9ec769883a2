/* Ends the push subscriptions of ended sessions, so that a browser that was logged out gets no more pushes. */
#include "services/notification/notification.h"

#include "services/notification/store.h"
#include "services/user/user.rpc.h"

static sn_status end_subscriptions(struct rpc_call *c, struct bus_batch *batch)
{
        CLEANUP(db_end) struct db_tx *tx = NULL;

        TRY(bus_begin(c, batch, &tx));
        char **sessions = ARENA_ARRAY(c->arena, char *, batch->n);
        for (size_t i = 0; i < batch->n; i++) {
                sessions[i] = batch->events[i]->aggregate_id;
        }
        TRY(store_end_subscriptions(tx, sessions, batch->n));
        return bus_commit(c, batch, &tx);
}

static const char *const types[] = {"session.ended", NULL};

const struct bus_consumer notification_sessions = {
    .name = "sessions",
    .source = "user",
    .read_outbox = &user_methods[USER_READ_OUTBOX],
    .types = types,
    .handle = end_subscriptions,
};
