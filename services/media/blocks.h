/* The block list: files that must not be kept here, by what they are or by how they look. New ones are refused or fail,
 * what was here before fails: nobody is given its bytes any more, and they are removed. */
#ifndef SERVICES_MEDIA_BLOCKS_H
#define SERVICES_MEDIA_BLOCKS_H

#include "db/db.h"
#include "services/media/media_rows.rpc.h"

/* subject: a SHA-256 (64 hex digits), a perceptual hash (16), or the id of a media, which blocks all three of its
 * hashes. *n: how many were not on the list. SN_INVALID_ARGUMENT when it is none of them, SN_NOT_FOUND when there is no
 * such media. */
SN_CHECKED sn_status block_add(struct db_tx *tx, const char *subject, const char *reason, int64_t *n);
/* Takes a hash off; what failed by it stays so. SN_NOT_FOUND when it is not on the list. */
SN_CHECKED sn_status block_remove(struct db_tx *tx, const char *hash);

/* SN_PERMISSION_DENIED (media_blocked) on the field when this content is on the list. */
SN_CHECKED sn_status block_admit(struct db_tx *tx, const char *field, const char *sha256);
/* A media that is on the list fails, with all that was made of it. */
SN_CHECKED sn_status media_block(struct db_tx *tx, const MediaRows__StoredMedia *row);

#endif
