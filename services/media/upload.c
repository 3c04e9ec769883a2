/* Owns receiving the pieces of uploads: chunks, and the quota reserved for them. */
#include "services/media/upload.h"

#include <inttypes.h>
#include <unistd.h>
#include "services/media/create.h"
#include "services/media/quota.h"
#include "services/media/tus.h"

void upload_answer(struct rpc_call *c, const upload_row *upload, MediaUploads__Upload *out)
{
        out->id = upload->id;
        out->offset = upload->received_bytes;
        out->length = upload->length;
        out->media_id = upload->media_id;
        out->expires_at = upload->expires_at;
        out->location = arena_printf(c->arena, "/v1/uploads/%s", upload->id);
}

void upload_state(struct rpc_call *c, const upload_row *upload, MediaUploads__UploadState *out)
{
        out->offset = upload->received_bytes;
        out->length = upload->has_length ? arena_printf(c->arena, "%" PRId64, upload->length) : out->length;
        out->defer_length = upload->has_length ? out->defer_length : "1";
        out->metadata = upload->metadata;
        out->concat = upload->concat;
        out->media_id = upload->media_id;
        out->expires_at = upload->expires_at;
}

static sn_status fail_too_large(struct rpc_call *c, int64_t most)
{
        return rpc_fail_code(c, SN_INVALID_ARGUMENT, "file_too_large", "length", "must be at most %" PRId64 " bytes",
                             most);
}

sn_status upload_check_length(struct rpc_call *c, int64_t length)
{
        if (length == 0) {
                return rpc_fail(c, SN_INVALID_ARGUMENT, "length", "must be at least 1: a file cannot be empty");
        }
        return length <= media_limits.file_bytes ? SN_OK : fail_too_large(c, media_limits.file_bytes);
}

/* --- storing --- */

sn_status upload_check_size(struct rpc_call *c, const upload_row *upload, int64_t size)
{
        int64_t most = upload->has_length ? upload->length : media_limits.file_bytes;

        return size <= most - upload->received_bytes ? SN_OK : fail_too_large(c, most);
}

sn_status upload_check_head(struct rpc_call *c, const upload_row *upload, const uint8_t *head, size_t len)
{
        bool first = upload->received_bytes == 0 && !upload->is_partial;

        return first && len >= SNIFF_BYTES ? sniff_head(c, head, len, "data") : SN_OK;
}

static sn_status check_body(struct rpc_call *c, const upload_row *upload, const char *checksum)
{
        uint8_t head[SNIFF_BYTES];
        ssize_t len = pread(c->body->fd, head, sizeof(head), 0);

        TRY(upload_check_size(c, upload, c->body->size));
        TRY(tus_check_body(c, checksum));
        return upload_check_head(c, upload, head, len > 0 ? (size_t)len : 0);
}

static sn_status keep_last(struct rpc_call *c, const upload_row *upload, struct upload_piece *out)
{
        MediaRows__Chunk **chunks = NULL;
        size_t n = 0;

        TRY(DB_READ(c, tx, store_chunks(tx, upload->id, &n, &chunks)));
        return upload_assemble(c, upload, chunks, n, out->size > 0, out);
}

/* Whether the next size bytes complete the upload, and no media was made from it yet. A partial upload is never
 * complete in this sense. */
static bool is_last(const upload_row *upload, int64_t size)
{
        return !upload->is_partial && upload->has_length && upload->received_bytes + size == upload->length &&
               upload->media_id[0] == '\0';
}

sn_status upload_keep(struct rpc_call *c, const upload_row *upload, const char *checksum, struct upload_piece *out)
{
        *out = (struct upload_piece){.size = c->body->size, .chunk_id = ""};
        TRY(check_body(c, upload, checksum));
        if (is_last(upload, out->size)) {
                return keep_last(c, upload, out);
        }
        if (out->size == 0) {
                return SN_OK;
        }
        out->chunk_id = uuid_new_in(c->arena);
        return chunk_stage(c, c->body->fd, out->chunk_id);
}

/* --- receiving --- */

static sn_status drop_chunks(struct db_tx *tx, const char *upload_id)
{
        MediaRows__Chunk **chunks = NULL;
        size_t n = 0;

        TRY(store_delete_chunks(tx, upload_id, &n, &chunks));
        for (size_t i = 0; i < n; i++) {
                chunk_remove_after(tx, chunks[i]->id);
        }
        return SN_OK;
}

static sn_status give_back(struct db_tx *tx, const upload_row *upload)
{
        MediaRows__Quota quota = MEDIA_ROWS__QUOTA__INIT;

        TRY(store_lock_quota(tx, upload->owner_id, &quota));
        return store_change_quota(tx, upload->owner_id, 0, -upload->reserved_bytes);
}

static sn_status reserve_quota(struct db_tx *tx, upload_row *upload, int64_t needed)
{
        int64_t more = needed - upload->reserved_bytes;

        if (more <= 0) {
                return SN_OK;
        }
        TRY(quota_admit(tx, upload->owner_id, more));
        upload->reserved_bytes = needed;
        return store_change_quota(tx, upload->owner_id, 0, more);
}

/* Turns the reservation into a charge (none if the member already has this content). */
static sn_status settle_reservation(struct db_tx *tx, upload_row *upload, const struct upload_piece *last)
{
        TRY(give_back(tx, upload));
        TRY(create_media(tx, &last->blob, &last->media));
        TRY(drop_chunks(tx, upload->id));
        upload->reserved_bytes = 0;
        upload->received_bytes = upload->length;
        upload->media_id = (char *)last->media.id;
        return store_update_upload(tx, upload);
}

sn_status upload_check_pieces(struct rpc_call *c, size_t n)
{
        return n <= UPLOAD_PIECES_MAX ? SN_OK
                                      : rpc_fail_code(c, SN_RESOURCE_EXHAUSTED, "too_many_pieces", NULL,
                                                      "an upload can have at most %d pieces; start again with larger "
                                                      "ones",
                                                      UPLOAD_PIECES_MAX);
}

static sn_status add_chunk(struct db_tx *tx, upload_row *upload, const struct upload_piece *piece)
{
        sn_status status =
            store_insert_chunk(tx, piece->chunk_id, upload->id, upload->received_bytes, piece->size, UPLOAD_PIECES_MAX);

        TRY(status == SN_RESOURCE_EXHAUSTED ? upload_check_pieces(db_call(tx), UPLOAD_PIECES_MAX + 1) : status);
        TRY(chunk_publish(tx, piece->chunk_id));
        upload->received_bytes += piece->size;
        return SN_OK;
}

sn_status upload_receive(struct db_tx *tx, upload_row *upload, const struct upload_piece *piece)
{
        if (upload->media_id[0] != '\0') {
                return SN_OK; /* complete: nothing more to receive or reserve */
        }
        if (is_last(upload, piece->size) && !piece->whole) {
                return rpc_fail(db_call(tx), SN_UNAVAILABLE, NULL,
                                "the upload's length was set while this piece arrived; send the piece again");
        }
        TRY(reserve_quota(tx, upload, upload->has_length ? upload->length : upload->received_bytes + piece->size));
        if (piece->whole) {
                return settle_reservation(tx, upload, piece);
        }
        TRY(piece->size > 0 ? add_chunk(tx, upload, piece) : SN_OK);
        return store_update_upload(tx, upload);
}

sn_status upload_drop(struct db_tx *tx, const upload_row *upload)
{
        TRY(give_back(tx, upload));
        TRY(drop_chunks(tx, upload->id));
        return store_delete_upload(tx, upload->id);
}
