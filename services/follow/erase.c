/* Erases members whose accounts have ended: ends their follows with the usual events, so that counts stay correct. */
#include "services/follow/follow.h"

#include <stdio.h>
#include "services/follow/relations.h"
#include "services/follow/store.h"
#include "services/user/user.rpc.h"

enum { ROWS_AT_ONCE = 100 };

static sn_status end_some(struct db_tx *tx, const char *id, bool *more)
{
        FollowRows__Follower **rows = NULL;
        size_t n = 0;

        TRY(store_follows_of(tx, id, ROWS_AT_ONCE, &n, &rows));
        for (size_t i = 0; i < n; i++) {
                TRY(store_lock(tx, rows[i]->follower_id, rows[i]->user_id));
                TRY(end_follow(tx, rows[i]->follower_id, rows[i]->user_id));
        }
        *more = n > 0;
        return SN_OK;
}

static sn_status forget_some(struct db_tx *tx, const char *id, bool *more)
{
        FollowRows__Follower **rows = NULL;
        size_t n = 0;

        TRY(store_erase_some(tx, id, ROWS_AT_ONCE, &n, &rows));
        for (size_t i = 0; i < n; i++) {
                relations_changed(tx, rows[i]->follower_id, rows[i]->user_id);
        }
        *more = n > 0;
        return n > 0 ? SN_OK : store_erase_single_rows(tx, id);
}

/* A portion of one member; the cursor only says that there was one. */
static sn_status erase_batch(struct rpc_call *c, struct bus_batch *batch)
{
        CLEANUP(db_end) struct db_tx *tx = NULL;
        const char *id = batch->events[0]->aggregate_id;
        bool more = false;

        TRY(db_begin(c, &tx));
        TRY(end_some(tx, id, &more));
        if (!more) {
                TRY(forget_some(tx, id, &more));
        }
        batch->n_done = more ? 0 : 1;
        (void)snprintf(batch->cursor, sizeof(batch->cursor), "%s", more ? uuid_new_in(c->arena) : "");
        return db_commit(c, NULL, &tx);
}

static const char *const types[] = {"user.erased", NULL};

const struct bus_consumer follow_erase = {
    .name = "erase",
    .source = "user",
    .read_outbox = &user_methods[USER_READ_OUTBOX],
    .types = types,
    .handle = erase_batch,
};
