/* Removes pictures from accounts if their media were deleted or could not be processed. */
#include "services/user/user.h"

#include "services/media/media.rpc.h"
#include "services/user/authors.h"
#include "services/user/store_profiles.h"

static sn_status drop_pictures(struct rpc_call *c, struct bus_batch *batch)
{
        CLEANUP(db_end) struct db_tx *tx = NULL;
        const char *user_id = "";

        TRY(bus_begin(c, batch, &tx));
        for (size_t i = 0; i < batch->n; i++) {
                TRY(store_drop_picture(tx, batch->events[i]->aggregate_id, &user_id));
                if (user_id[0] != '\0') {
                        authors_changed(tx, user_id);
                }
        }
        return bus_commit(c, batch, &tx);
}

static const char *const types[] = {"media.deleted", "media.failed", NULL};

const struct bus_consumer user_drop_pictures = {
    .name = "drop_pictures",
    .source = "media",
    .read_outbox = &media_methods[MEDIA_READ_OUTBOX],
    .types = types,
    .handle = drop_pictures,
};
