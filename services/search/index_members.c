/* Keeps the index of members up to date: their names, and whether they want to be found. Deletes erased members. */
#include "services/search/search.h"

#include <string.h>
#include "services/search/indexing.h"
#include "services/user/user.rpc.h"

static sn_status index_event(struct db_tx *tx, const bus_event *event, const User__IndexedUsers *users)
{
        const User__IndexedUser *user = indexing_find_member(users, event->aggregate_id);

        if (strcmp(event->type, "user.erased") == 0) {
                return store_erase_member(tx, event->aggregate_id);
        }
        return user != NULL ? indexing_member(tx, user) : store_hide_member(tx, event->aggregate_id);
}

static sn_status index_members(struct rpc_call *c, struct bus_batch *batch)
{
        CLEANUP(db_end) struct db_tx *tx = NULL;
        User__BatchGetIndexedRequest in = USER__BATCH_GET_INDEXED_REQUEST__INIT;
        User__IndexedUsers found = USER__INDEXED_USERS__INIT;

        in.ids = ARENA_ARRAY(c->arena, char *, batch->n);
        for (size_t i = 0; i < batch->n; i++) {
                in.ids[in.n_ids++] = batch->events[i]->aggregate_id;
        }
        TRY(user_batch_get_indexed(c, &in, &found));
        TRY(bus_begin(c, batch, &tx));
        for (size_t i = 0; i < batch->n; i++) {
                TRY(index_event(tx, batch->events[i], &found));
        }
        return bus_commit(c, batch, &tx);
}

static const char *const types[] = {"user.changed", "user.erased", NULL};

const struct bus_consumer search_index_members = {
    .name = "index_members",
    .source = "user",
    .read_outbox = &user_methods[USER_READ_OUTBOX],
    .types = types,
    .handle = index_members,
};
