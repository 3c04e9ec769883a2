/* Accepts all follow requests to an account that was private and is now public. */
#include "services/follow/follow.h"

#include <string.h>
#include "services/follow/requests.h"
#include "services/follow/store.h"
#include "services/user/user.rpc.h"

enum { ACCEPTED_AT_ONCE = 50 };

/* In a separate transaction, so that the holder of this lock waits for no other. */
static sn_status note_opening(struct rpc_call *c, const bus_event *event)
{
        CLEANUP(db_end) struct db_tx *tx = NULL;

        TRY(db_begin(c, &tx));
        TRY(store_lock_requests(tx, event->aggregate_id));
        TRY(store_note_opening(tx, event->aggregate_id, event->version));
        return db_commit(c, NULL, &tx);
}

/* The oldest of them; last: the last one, "" if none are left. */
static sn_status accept_some(struct rpc_call *c, const bus_event *event, char last[UUID_SIZE])
{
        CLEANUP(db_end) struct db_tx *tx = NULL;
        FollowRows__Edge **requests = NULL;
        bool accepted = false;
        size_t n = 0;

        TRY(db_begin(c, &tx));
        TRY(store_requests_before(tx, event->aggregate_id, event->version, ACCEPTED_AT_ONCE, &n, &requests));
        for (size_t i = 0; i < n; i++) {
                TRY(store_lock(tx, requests[i]->user_id, event->aggregate_id));
                TRY(accept_request(tx, requests[i]->user_id, event->aggregate_id, &accepted));
        }
        memcpy(last, n == ACCEPTED_AT_ONCE ? requests[n - 1]->user_id : (char[UUID_SIZE]){""}, UUID_SIZE);
        return db_commit(c, NULL, &tx);
}

/* One event at a time, and a portion of a long list; accepted requests are not found again. */
static sn_status open_accounts(struct rpc_call *c, struct bus_batch *batch)
{
        TRY(note_opening(c, batch->events[0]));
        TRY(accept_some(c, batch->events[0], batch->cursor));
        batch->n_done = batch->cursor[0] != '\0' ? 0 : 1;
        return SN_OK;
}

static const char *const types[] = {"user.opened", NULL};

const struct bus_consumer follow_open_accounts = {
    .name = "open_accounts",
    .source = "user",
    .read_outbox = &user_methods[USER_READ_OUTBOX],
    .types = types,
    .handle = open_accounts,
};
