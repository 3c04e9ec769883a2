/* The block list: files that must not be kept, by content or by appearance. New ones are refused or fail. Existing ones
 * fail: they are no longer served, and their files are removed. */
#ifndef SERVICES_MEDIA_BLOCKS_H
#define SERVICES_MEDIA_BLOCKS_H

#include "db/db.h"
#include "services/media/media_rows.rpc.h"

/* subject: a SHA-256 (64 hex digits), a perceptual hash (16 hex digits), or the id of a media, which blocks all three
 * of its hashes. *n: how many were not on the list yet. SN_INVALID_ARGUMENT if it is none of these, SN_NOT_FOUND if
 * there is no such media. */
SN_CHECKED sn_status block_add(struct db_tx *tx, const char *subject, const char *reason, int64_t *n);
/* Removes a hash from the list; media that failed because of it stay failed. SN_NOT_FOUND if it is not on the list. */
SN_CHECKED sn_status block_remove(struct db_tx *tx, const char *hash);

/* SN_PERMISSION_DENIED (media_blocked) on the field if this content is on the list. */
SN_CHECKED sn_status block_admit(struct db_tx *tx, const char *field, const char *sha256);
/* Fails a media that is on the list, and removes everything made from it. */
SN_CHECKED sn_status media_block(struct db_tx *tx, const MediaRows__StoredMedia *row);

#endif
