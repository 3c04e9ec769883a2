/* Removes blobs that no row refers to any more. Deleting rows lists their blobs for this job. */
#include "services/media/media.h"

#include "services/media/blobs.h"
#include "services/media/store.h"

enum { BLOBS_AT_ONCE = 50 };

/* Locks its hash: an upload of the same content waits and then writes the file again. If removing fails, the whole
 * batch stays in the list. */
static sn_status remove_one(struct db_tx *tx, const char *name)
{
        bool referred = false;

        TRY(blob_lock(tx, name));
        TRY(store_is_referred(tx, name, &referred));
        return referred ? SN_OK : blob_remove(db_call(tx), name);
}

static sn_status remove_some(struct db_tx *tx, bool *more)
{
        size_t n = 0;
        char **names = NULL;

        TRY(store_take_unreferenced(tx, BLOBS_AT_ONCE, &n, &names));
        for (size_t i = 0; i < n; i++) {
                TRY(remove_one(tx, names[i]));
        }
        *more = n == BLOBS_AT_ONCE;
        return SN_OK;
}

static sn_status remove_blobs(struct rpc_call *c, bool *more)
{
        return DB_WRITE(c, tx, remove_some(tx, more));
}

const struct service_job media_remove_blobs = {.name = "remove_blobs", .every_s = 5, .run = remove_blobs};
