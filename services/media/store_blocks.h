/* SQL on media_blocks. Hashes are hex. */
#ifndef SERVICES_MEDIA_STORE_BLOCKS_H
#define SERVICES_MEDIA_STORE_BLOCKS_H

#include "db/db.h"
#include "services/media/media_rows.rpc.h"

/* Waits for all who read the list, and keeps others from it until the transaction ends. */
SN_CHECKED sn_status block_store_lock(struct db_tx *tx);
/* One of both hashes; nothing when both are "". Adds to *n how many were not there. */
SN_CHECKED sn_status block_store_insert(struct db_tx *tx, const char *sha256, const char *perceptual_hash,
                                        const char *reason, int64_t *n);
SN_CHECKED sn_status block_store_delete(struct db_tx *tx, const char *hash, int64_t *n);
/* The newest first, so many at most. */
SN_CHECKED sn_status block_store_list(struct db_tx *tx, int64_t limit, size_t *n, MediaRows__Block ***rows);
/* Of a media, as it came as id. SN_NOT_FOUND when there is none. */
SN_CHECKED sn_status block_store_hashes(struct db_tx *tx, const char *media_id, MediaRows__Block *out);
/* By its content, or by looking like something on the list; perceptual_hash "": unknown. */
SN_CHECKED sn_status block_store_has(struct db_tx *tx, const char *sha256, const char *perceptual_hash,
                                     bool *is_blocked);

/* One that was not yet applied to what was here before, locked. */
SN_CHECKED sn_status block_store_take(struct db_tx *tx, MediaRows__Block *out, bool *found);
/* Media that it is about beyond block->applied_to; applied_to then says as far as what was looked at, "" when that is
 * the end. */
SN_CHECKED sn_status block_store_media(struct db_tx *tx, MediaRows__Block *block, size_t *n,
                                       MediaRows__StoredMedia ***rows);
SN_CHECKED sn_status block_store_applied(struct db_tx *tx, const MediaRows__Block *block);

#endif
