/* Owns the tags that members give their own media. */
#include "services/media/media.h"

#include "services/media/collections.h"
#include "services/media/owned.h"
#include "services/media/store_collections.h"

sn_status media_handle_set_media_tags(struct rpc_call *c, const MediaCollections__SetMediaTagsRequest *in,
                                      Media__Media *out)
{
        CLEANUP(db_end) struct db_tx *tx = NULL;
        char **tags = ARENA_ARRAY(c->arena, char *, in->n_tags);

        for (size_t i = 0; i < in->n_tags; i++) {
                TRY(label_key(c, arena_printf(c->arena, "tags[%zu]", i), in->tags[i], &tags[i]));
        }
        TRY(db_begin(c, &tx));
        TRY(owned_read(tx, in->id, out));
        TRY(store_set_tags(tx, in->id, tags, in->n_tags));
        TRY(owned_read(tx, in->id, out));
        return db_commit(c, NULL, &tx);
}
