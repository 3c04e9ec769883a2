/* When a note is deleted, what it alone showed goes with it. What others show, too, stays, and is public only as long
 * as one of them is. */
#include "services/media/media.h"

#include "services/media/owned.h"
#include "services/media/store.h"
#include "services/note/note.rpc.h"

static sn_status detach(struct rpc_call *c, struct bus_batch *batch)
{
        CLEANUP(db_end) struct db_tx *tx = NULL;
        MediaRows__StoredMedia **gone = NULL;
        size_t n = 0;

        TRY(bus_begin(c, batch, &tx));
        for (size_t i = 0; i < batch->n; i++) {
                TRY(store_delete_uses(tx, batch->events[i]->aggregate_id, &n, &gone));
                for (size_t k = 0; k < n; k++) {
                        TRY(owned_delete(tx, gone[k]->id, gone[k]->owner_id));
                }
        }
        return bus_commit(c, batch, &tx);
}

static const char *const types[] = {"note.deleted", "comment.deleted", NULL};

const struct bus_consumer media_detach = {
    .name = "detach",
    .source = "note",
    .read_outbox = &note_methods[NOTE_READ_OUTBOX],
    .types = types,
    .handle = detach,
};
