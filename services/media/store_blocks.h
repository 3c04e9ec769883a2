/* SQL on media_blocks. Hashes are hex. */
#ifndef SERVICES_MEDIA_STORE_BLOCKS_H
#define SERVICES_MEDIA_STORE_BLOCKS_H

#include "db/db.h"
#include "services/media/media_rows.rpc.h"

/* Waits for all readers of the list, and blocks new ones until the transaction ends. */
SN_CHECKED sn_status block_store_lock(struct db_tx *tx);
/* Inserts the hashes that are not "". Adds to *n how many were new. */
SN_CHECKED sn_status block_store_insert(struct db_tx *tx, const char *sha256, const char *perceptual_hash,
                                        const char *reason, int64_t *n);
SN_CHECKED sn_status block_store_delete(struct db_tx *tx, const char *hash, int64_t *n);
/* Newest first, at most limit. */
SN_CHECKED sn_status block_store_list(struct db_tx *tx, int64_t limit, size_t *n, MediaRows__Block ***rows);
/* The hashes of a media; id is that of the uploaded file. SN_NOT_FOUND if there is no such media. */
SN_CHECKED sn_status block_store_hashes(struct db_tx *tx, const char *media_id, MediaRows__Block *out);
/* Whether a file is on the list, by its content or its similarity to an entry. perceptual_hash: "" if unknown. */
SN_CHECKED sn_status block_store_has(struct db_tx *tx, const char *sha256, const char *perceptual_hash,
                                     bool *is_blocked);

/* Locks an entry that was not yet applied to all existing media. */
SN_CHECKED sn_status block_store_take(struct db_tx *tx, MediaRows__Block *out, bool *found);
/* Media after block->applied_to that the entry concerns. Sets applied_to to the last media examined, "" at the end. */
SN_CHECKED sn_status block_store_media(struct db_tx *tx, MediaRows__Block *block, size_t *n,
                                       MediaRows__StoredMedia ***rows);
SN_CHECKED sn_status block_store_applied(struct db_tx *tx, const MediaRows__Block *block);

#endif
