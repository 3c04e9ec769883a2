/* Owns tagging members' own media. */
#include "services/media/media.h"

#include "services/media/collections.h"
#include "services/media/owned.h"
#include "services/media/store_collections.h"

sn_status tags_fold(struct rpc_call *c, size_t n, char *const *tags, char ***folded)
{
        *folded = ARENA_ARRAY(c->arena, char *, n);
        for (size_t i = 0; i < n; i++) {
                TRY(label_key(c, arena_printf(c->arena, "tags[%zu]", i), tags[i], &(*folded)[i]));
        }
        return SN_OK;
}

sn_status media_handle_set_media_tags(struct rpc_call *c, const MediaCollections__SetMediaTagsRequest *in,
                                      Media__Media *out)
{
        CLEANUP(db_end) struct db_tx *tx = NULL;
        char **tags = NULL;

        TRY(tags_fold(c, in->n_tags, in->tags, &tags));
        TRY(db_begin(c, &tx));
        TRY(owned_read(tx, in->id, out));
        TRY(store_set_tags(tx, in->id, tags, in->n_tags));
        TRY(owned_read(tx, in->id, out));
        return db_commit(c, NULL, &tx);
}
