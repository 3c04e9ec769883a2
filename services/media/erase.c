/* Erases what deleted members uploaded, in batches: media with all their files, uploads, and the quota. */
#include "services/media/media.h"

#include <stdio.h>
#include "services/media/owned.h"
#include "services/media/store.h"
#include "services/media/store_access_logs.h"
#include "services/media/store_collections.h"
#include "services/media/upload.h"
#include "services/user/user.rpc.h"

enum { ROWS_AT_ONCE = 50, UPLOADS_AT_ONCE = 5 /* each may have thousands of pieces */ };

static sn_status erase_some(struct db_tx *tx, const char *id, bool *more)
{
        MediaRows__StoredMedia **media = NULL;
        MediaRows__StoredUpload **uploads = NULL;
        size_t n_media = 0, n_uploads = 0, n_accesses = 0;

        TRY(store_list_media(tx, id, &(struct media_filter){.collection_id = ""},
                             &(struct page_scan){.limit = ROWS_AT_ONCE}, &n_media, &media));
        for (size_t i = 0; i < n_media; i++) {
                TRY(owned_delete(tx, media[i]->id, id));
        }
        TRY(store_uploads_of(tx, id, UPLOADS_AT_ONCE, &n_uploads, &uploads));
        for (size_t i = 0; i < n_uploads; i++) {
                TRY(upload_drop(tx, uploads[i]));
        }
        TRY(store_erase_accesses(tx, id, ROWS_AT_ONCE, &n_accesses));
        *more = n_media + n_uploads + n_accesses > 0;
        if (*more) {
                return SN_OK;
        }
        TRY(store_delete_collections_of(tx, id));
        return store_delete_quota(tx, id);
}

static sn_status erase_batch(struct rpc_call *c, struct bus_batch *batch)
{
        CLEANUP(db_end) struct db_tx *tx = NULL;
        bool more = false;

        TRY(db_begin(c, &tx));
        TRY(erase_some(tx, batch->events[0]->aggregate_id, &more));
        batch->n_done = more ? 0 : 1;
        (void)snprintf(batch->cursor, sizeof(batch->cursor), "%s", more ? uuid_new_in(c->arena) : "");
        return db_commit(c, NULL, &tx);
}

static const char *const types[] = {"user.erased", NULL};

const struct bus_consumer media_erase = {
    .name = "erase",
    .source = "user",
    .read_outbox = &user_methods[USER_READ_OUTBOX],
    .types = types,
    .handle = erase_batch,
};
