/* Applies new entries of the block list to existing media, in portions. */
#include "services/media/media.h"

#include "services/media/blocks.h"
#include "services/media/store_blocks.h"

static sn_status apply_some(struct db_tx *tx, bool *more)
{
        MediaRows__Block block = MEDIA_ROWS__BLOCK__INIT;
        MediaRows__StoredMedia **rows = NULL;
        size_t n = 0;

        TRY(block_store_take(tx, &block, more));
        if (!*more) {
                return SN_OK;
        }
        TRY(block_store_media(tx, &block, &n, &rows));
        for (size_t i = 0; i < n; i++) {
                TRY(media_block(tx, rows[i]));
        }
        return block_store_applied(tx, &block);
}

static sn_status apply_blocks(struct rpc_call *c, bool *more)
{
        return DB_WRITE(c, tx, apply_some(tx, more));
}

const struct service_job media_apply_blocks = {.name = "apply_blocks", .every_s = 10, .run = apply_blocks};
