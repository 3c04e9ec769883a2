/* Owns the block list and its effects. */
#include "services/media/blocks.h"

#include <string.h>
#include "base/uuid.h"
#include "services/media/blobs.h"
#include "services/media/media.h"
#include "services/media/phash.h"
#include "services/media/served.h"
#include "services/media/store.h"
#include "services/media/store_blocks.h"

static bool is_hex(const char *text, size_t size)
{
        return strlen(text) == size - 1 && strspn(text, "0123456789abcdef") == size - 1;
}

static sn_status block_media(struct db_tx *tx, const char *id, const char *reason, int64_t *n)
{
        MediaRows__Block hashes = MEDIA_ROWS__BLOCK__INIT;

        TRY(block_store_hashes(tx, id, &hashes));
        TRY(block_store_insert(tx, hashes.id, "", reason, n)); /* the uploaded file */
        TRY(block_store_insert(tx, hashes.content_sha256, "", reason, n));
        return block_store_insert(tx, "", hashes.perceptual_hash, reason, n);
}

/* Locks the list: transactions that have read it finish first, and later ones see the new entry. So media are either
 * refused, or found by the job that applies the entry. */
sn_status block_add(struct db_tx *tx, const char *subject, const char *reason, int64_t *n)
{
        *n = 0;
        TRY(block_store_lock(tx));
        if (uuid_valid(subject)) {
                return block_media(tx, subject, reason, n);
        }
        if (is_hex(subject, BLOB_NAME_SIZE)) {
                return block_store_insert(tx, subject, "", reason, n);
        }
        if (is_hex(subject, PHASH_SIZE)) {
                return block_store_insert(tx, "", subject, reason, n);
        }
        return rpc_fail(db_call(tx), SN_INVALID_ARGUMENT, NULL,
                        "'%s' is neither a SHA-256 (64 hex digits in lower case), nor a perceptual hash (16), nor the"
                        " id of a media",
                        subject);
}

sn_status block_remove(struct db_tx *tx, const char *hash)
{
        int64_t n = 0;

        TRY(block_store_delete(tx, hash, &n));
        return n > 0 ? SN_OK : rpc_fail(db_call(tx), SN_NOT_FOUND, NULL, "'%s' is not on the block list", hash);
}

sn_status block_admit(struct db_tx *tx, const char *field, const char *sha256)
{
        bool is_blocked = false;

        TRY(block_store_has(tx, sha256, "", &is_blocked));
        return is_blocked ? rpc_fail_code(db_call(tx), SN_PERMISSION_DENIED, "media_blocked", field,
                                          "this file must not be kept on this server")
                          : SN_OK;
}

/* Deletes the job first, in the order in which processing locks, which then finds it gone or has finished. */
sn_status media_block(struct db_tx *tx, const MediaRows__StoredMedia *row)
{
        served_forget(tx);
        TRY(store_delete_job(tx, row->id));
        TRY(store_delete_variants(tx, row->id));
        TRY(store_media_blocked(tx, row->id, "it must not be kept on this server"));
        return media_emit(tx, EVENT_MEDIA_FAILED, row);
}
