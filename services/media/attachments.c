/* Tracks which media other services show. Their events confirm that an object shows media, and later that it no longer
 * does. Media that only this object showed are deleted with it; media that other objects show stay, and are public only
 * as long as one of those objects is. */
#include "services/media/attachments.h"

#include <string.h>
#include "services/media/media.h"
#include "services/media/owned.h"
#include "services/media/served.h"
#include "services/media/store.h"

static sn_status detach_object(struct db_tx *tx, const char *object_id)
{
        MediaRows__StoredMedia **gone = NULL;
        size_t n = 0;

        served_forget(tx); /* this object may have been what made them public */
        TRY(store_delete_uses(tx, object_id, &n, &gone));
        for (size_t i = 0; i < n; i++) {
                TRY(owned_delete(tx, gone[i]->id, gone[i]->owner_id));
        }
        return SN_OK;
}

static bool is_attached(const bus_event *event)
{
        return strstr(event->type, ".media_attached") != NULL;
}

sn_status attachments_follow(struct rpc_call *c, struct bus_batch *batch)
{
        CLEANUP(db_end) struct db_tx *tx = NULL;

        TRY(bus_begin(c, batch, &tx));
        for (size_t i = 0; i < batch->n; i++) {
                const bus_event *event = batch->events[i];
                bool shows = is_attached(event);

                TRY(shows ? store_confirm_uses(tx, event->aggregate_id) : detach_object(tx, event->aggregate_id));
        }
        return bus_commit(c, batch, &tx);
}
