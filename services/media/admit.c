/* Owns rejecting files before they have arrived completely, by their size and first bytes. The handler checks again in
 * its transaction. */
#include <string.h>
#include "rpc/rpc.h"
#include "services/media/create.h"
#include "services/media/quota.h"
#include "services/media/tus.h"
#include "services/media/upload.h"

/* Every file needs room for at least one byte. */
static sn_status expect_room(struct rpc_call *c, int64_t size)
{
        return DB_READ(c, tx, quota_expect(tx, c->actor, size > 0 ? size : 1));
}

static sn_status admit_media(struct rpc_call *c, const ProtobufCMessage *request, const Sonet__Body__AdmitRequest *ask)
{
        const Media__CreateMediaRequest *in = (const Media__CreateMediaRequest *)request;
        int32_t focus = 0;

        TRY(focus_of(c, "focus_x", in->focus_x, &focus));
        TRY(focus_of(c, "focus_y", in->focus_y, &focus));
        TRY(media_check_size(c, ask->size));
        if (ask->head.len >= SNIFF_BYTES) {
                TRY(sniff_head(c, ask->head.data, ask->head.len, "file"));
        }
        return expect_room(c, ask->size);
}

static sn_status expect_upload(struct db_tx *tx, int64_t size)
{
        const char *owner = db_call(tx)->actor;

        TRY(upload_check_number(tx, owner));
        return quota_expect(tx, owner, size > 0 ? size : 1);
}

static sn_status admit_upload(struct rpc_call *c, const ProtobufCMessage *request, const Sonet__Body__AdmitRequest *ask)
{
        const MediaUploads__CreateUploadRequest *in = (const MediaUploads__CreateUploadRequest *)request;
        upload_row upload = MEDIA_ROWS__STORED_UPLOAD__INIT;
        char **parts = NULL;
        size_t n = 0;

        TRY(upload_of_request(c, in, &upload, &n, &parts));
        TRY(upload_check_size(c, &upload, ask->size));
        TRY(upload_check_head(c, &upload, ask->head.data, ask->head.len));
        return n > 0 ? SN_OK /* the parts release their reservations */
                     : DB_READ(c, tx, expect_upload(tx, upload.has_length ? upload.length : ask->size));
}

static sn_status admit_piece(struct rpc_call *c, const ProtobufCMessage *request, const Sonet__Body__AdmitRequest *ask)
{
        const MediaUploads__AppendUploadRequest *in = (const MediaUploads__AppendUploadRequest *)request;
        upload_row upload = MEDIA_ROWS__STORED_UPLOAD__INIT;

        TRY(tus_check_version(c, in->version));
        TRY(DB_READ(c, tx, store_upload(tx, in->id, false, &upload)));
        TRY(upload_check_place(c, in, &upload));
        TRY(upload_check_size(c, &upload, ask->size));
        TRY(upload_check_head(c, &upload, ask->head.data, ask->head.len));
        int64_t needed = upload.has_length ? upload.length : upload.received_bytes + ask->size;

        return needed > upload.reserved_bytes && upload.media_id[0] == '\0'
                   ? expect_room(c, needed - upload.reserved_bytes)
                   : SN_OK;
}

static const struct {
        const struct rpc_method *method;
        sn_status (*admit)(struct rpc_call *c, const ProtobufCMessage *request, const Sonet__Body__AdmitRequest *ask);
} admissions[] = {
    {&media_methods[MEDIA_CREATE_MEDIA], admit_media},
    {&media_methods[MEDIA_CREATE_UPLOAD], admit_upload},
    {&media_methods[MEDIA_APPEND_UPLOAD], admit_piece},
};

sn_status media_handle_admit_body(struct rpc_call *c, const Sonet__Body__AdmitRequest *in, Google__Protobuf__Empty *out)
{
        for (size_t i = 0; i < sizeof(admissions) / sizeof(admissions[0]); i++) {
                const struct rpc_method *m = admissions[i].method;
                ProtobufCMessage *request = NULL;

                if (strcmp(m->name, in->method) == 0) {
                        TRY(rpc_unpack(c, m->in, in->request.data, in->request.len, &request));
                        TRY(rpc_validate(c, m->in, request));
                        return admissions[i].admit(c, request, in);
                }
        }
        return rpc_fail(c, SN_INVALID_ARGUMENT, "method", "does not accept a file");
}
