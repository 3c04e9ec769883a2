/* Owns the answer that is a media's bytes. */
#include "services/media/media.h"

#include <string.h>
#include "services/media/blobs.h"
#include "services/media/store.h"

/* What one may not see is not found, in the same words as what is not there. */
static sn_status find(struct rpc_call *c, const Media__DownloadMediaRequest *in, MediaRows__StoredMedia *row)
{
        sn_status status = DB_READ(c, tx, store_media(tx, in->id, row));

        if (status == SN_OK && (strcmp(row->owner_id, c->actor) != 0 || strcmp(in->variant, "original") != 0 ||
                                row->content_sha256[0] == '\0')) {
                status = SN_NOT_FOUND;
        }
        return status == SN_NOT_FOUND ? rpc_fail(c, SN_NOT_FOUND, NULL, "there is no such file, or you may not see it")
                                      : status;
}

sn_status media_handle_download_media(struct rpc_call *c, const Media__DownloadMediaRequest *in, File__Chunk *out)
{
        MediaRows__StoredMedia row = MEDIA_ROWS__STORED_MEDIA__INIT;
        int fd = -1;

        TRY(find(c, in, &row));
        TRY(blob_open(c, row.content_sha256, &fd));
        out->etag = row.content_sha256;
        out->mime_type = row.media->mime_type;
        out->inline_ = true;
        out->cache_control = "private, max-age=31536000, immutable";
        return rpc_answer_file(c, fd);
}
