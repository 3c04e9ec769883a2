/* Owns creating a media from a file, and uploading one by form. */
#include "services/media/create.h"

#include <inttypes.h>
#include <math.h>
#include "services/media/blocks.h"
#include "services/media/describe.h"
#include "services/media/media.h"
#include "services/media/quota.h"

sn_status focus_of(struct rpc_call *c, const char *field, double value, int32_t *out)
{
        if (!(value >= -1 && value <= 1)) {
                return rpc_fail(c, SN_INVALID_ARGUMENT, field, "must be between -1 and 1");
        }
        *out = (int32_t)lround(value * 1000000);
        return SN_OK;
}

sn_status create_media(struct db_tx *tx, const struct staged_blob *blob, const struct new_media *media)
{
        bool has = false;

        /* Locks the quota, so that of two uploads of the same content only one is charged. */
        TRY(quota_admit(tx, media->owner_id, 0));
        TRY(queue_admit(tx, media->owner_id));
        TRY(block_admit(tx, "file", blob->name));
        TRY(store_has_content(tx, media->owner_id, blob->name, &has));
        TRY(quota_admit(tx, media->owner_id, has ? 0 : media->size_bytes));
        TRY(store_change_quota(tx, media->owner_id, has ? 0 : media->size_bytes, 0));
        TRY(blob_publish(tx, blob));
        TRY(store_insert_media(tx, media));
        return process_later(tx, media->id, media->kind);
}

sn_status media_check_size(struct rpc_call *c, int64_t size)
{
        return size <= media_limits.file_bytes
                   ? SN_OK
                   : rpc_fail_code(c, SN_INVALID_ARGUMENT, "file_too_large", "file",
                                   "must have at most %" PRId64 " bytes", media_limits.file_bytes);
}

static sn_status insert_media(struct rpc_call *c, const struct staged_blob *blob, const struct new_media *media,
                              Media__Media *out)
{
        CLEANUP(db_end) struct db_tx *tx = NULL;
        MediaRows__StoredMedia row = MEDIA_ROWS__STORED_MEDIA__INIT;

        TRY(db_begin(c, &tx));
        TRY(create_media(tx, blob, media));
        TRY(store_media(tx, media->id, &row));
        describe(c, &row, c->actor);
        *out = *row.media;
        return db_commit(c, NULL, &tx);
}

sn_status media_handle_create_media(struct rpc_call *c, const Media__CreateMediaRequest *in, Media__Media *out)
{
        struct sniffed type;
        struct staged_blob blob;
        struct new_media media = {.id = uuid_new_in(c->arena),
                                  .owner_id = c->actor,
                                  .file_name = c->body->file_name,
                                  .alt_text = in->alt_text,
                                  .size_bytes = c->body->size};

        TRY(focus_of(c, "focus_x", in->focus_x, &media.focus_x));
        TRY(focus_of(c, "focus_y", in->focus_y, &media.focus_y));
        if (c->body->size == 0) {
                return rpc_fail(c, SN_INVALID_ARGUMENT, "file", "is empty");
        }
        TRY(media_check_size(c, c->body->size));
        TRY(sniff(c, c->body->fd, "file", &type));
        media.kind = type.kind;
        media.mime_type = type.mime_type;
        TRY(blob_stage(c, c->body->fd, c->body->sha256, &blob));
        media.upload_sha256 = blob.name;
        return insert_media(c, &blob, &media, out);
}
