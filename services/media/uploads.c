/* Owns showing and deleting uploads. */
#include "services/media/upload.h"

#include "services/media/tus.h"

static sn_status fence(struct rpc_call *c, const char *id, upload_row *upload)
{
        CLEANUP(db_end) struct db_tx *tx = NULL;

        TRY(db_begin(c, &tx));
        TRY(store_upload(tx, id, true, upload));
        TRY(store_fence_upload(tx, id));
        return db_commit(c, NULL, &tx);
}

sn_status media_handle_stat_upload(struct rpc_call *c, const MediaUploads__StatUploadRequest *in,
                                   MediaUploads__UploadState *out)
{
        upload_row upload = MEDIA_ROWS__STORED_UPLOAD__INIT;

        TRY(tus_check_version(c, in->version));
        TRY(fence(c, in->id, &upload));
        upload_state(c, &upload, out);
        return SN_OK;
}

sn_status media_handle_get_upload(struct rpc_call *c, const MediaUploads__GetUploadRequest *in,
                                  MediaUploads__Upload *out)
{
        upload_row upload = MEDIA_ROWS__STORED_UPLOAD__INIT;

        TRY(DB_READ(c, tx, store_upload(tx, in->id, false, &upload)));
        upload_answer(c, &upload, out);
        return SN_OK;
}

static sn_status drop_upload(struct db_tx *tx, const char *id)
{
        upload_row upload = MEDIA_ROWS__STORED_UPLOAD__INIT;

        TRY(store_upload(tx, id, true, &upload));
        return upload_drop(tx, &upload);
}

sn_status media_handle_delete_upload(struct rpc_call *c, const MediaUploads__DeleteUploadRequest *in,
                                     Google__Protobuf__Empty *out)
{
        TRY(tus_check_version(c, in->version));
        return DB_WRITE(c, tx, drop_upload(tx, in->id));
}
