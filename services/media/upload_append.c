/* Owns appending a piece to an upload. */
#include "services/media/upload.h"

#include <inttypes.h>
#include "services/media/tus.h"

static sn_status fail_offset(struct rpc_call *c, const upload_row *upload)
{
        return rpc_fail_code(c, SN_FAILED_PRECONDITION, "upload_offset", "offset",
                             "must be %" PRId64 ", the number of bytes that were acknowledged", upload->received_bytes);
}

/* An interrupted piece that began before the client asked for the offset is dropped, since the offset it was told does
 * not include that piece. */
static bool is_fenced(const struct rpc_call *c, const upload_row *upload)
{
        return c->body != NULL && !c->body->complete && c->admitted_ms > 0 && c->admitted_ms <= upload->fenced_ms;
}

static sn_status set_length(struct rpc_call *c, const MediaUploads__AppendUploadRequest *in, upload_row *upload)
{
        if (in->size_case == 0) {
                return SN_OK;
        }
        TRY(upload_check_length(c, in->length));
        if ((upload->has_length && upload->length != in->length) || in->length < upload->received_bytes) {
                return rpc_fail(c, SN_INVALID_ARGUMENT, "length",
                                "differs from the length that was set before, or is less than the bytes received");
        }
        upload->has_length = true;
        upload->length = in->length;
        return SN_OK;
}

sn_status upload_check_place(struct rpc_call *c, const MediaUploads__AppendUploadRequest *in, upload_row *upload)
{
        if (tus_is_final(upload->concat)) {
                return rpc_fail(c, SN_PERMISSION_DENIED, NULL, "nothing can be added to a final upload");
        }
        if (in->place_case == 0) {
                return rpc_fail(c, SN_INVALID_ARGUMENT, "offset", "is required (Upload-Offset)");
        }
        if (in->offset != upload->received_bytes || is_fenced(c, upload)) {
                return fail_offset(c, upload);
        }
        return set_length(c, in, upload);
}

static sn_status receive_piece(struct rpc_call *c, const MediaUploads__AppendUploadRequest *in,
                               const struct upload_piece *piece, upload_row *upload)
{
        CLEANUP(db_end) struct db_tx *tx = NULL;
        upload_row now = MEDIA_ROWS__STORED_UPLOAD__INIT;

        TRY(db_begin(c, &tx));
        TRY(store_upload(tx, in->id, true, &now));
        TRY(upload_check_place(c, in, &now)); /* checks again: another request may have been faster */
        TRY(upload_receive(tx, &now, piece));
        TRY(store_upload(tx, in->id, false, &now));
        *upload = now;
        return db_commit(c, NULL, &tx);
}

/* A faster request may have completed the upload, which removes the chunks that this one was reading: whatever failed,
 * the answer is then the new offset. */
static sn_status keep_piece(struct rpc_call *c, const MediaUploads__AppendUploadRequest *in, const upload_row *upload,
                            struct upload_piece *out)
{
        sn_status status = upload_keep(c, upload, in->checksum, out);
        upload_row now = MEDIA_ROWS__STORED_UPLOAD__INIT;

        if (status != SN_OK) {
                TRY(DB_READ(c, tx, store_upload(tx, in->id, false, &now)));
                TRY(upload_check_place(c, in, &now));
        }
        return status;
}

sn_status media_handle_append_upload(struct rpc_call *c, const MediaUploads__AppendUploadRequest *in,
                                     MediaUploads__UploadState *out)
{
        upload_row upload = MEDIA_ROWS__STORED_UPLOAD__INIT;
        struct upload_piece piece;

        TRY(tus_check_version(c, in->version));
        TRY(DB_READ(c, tx, store_upload(tx, in->id, false, &upload)));
        TRY(upload_check_place(c, in, &upload));
        TRY(keep_piece(c, in, &upload, &piece));
        TRY(receive_piece(c, in, &piece, &upload));
        upload_state(c, &upload, out);
        return SN_OK;
}
