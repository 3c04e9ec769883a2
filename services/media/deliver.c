/* Owns the answer with the bytes of a media. */
#include "services/media/media.h"

#include <string.h>
#include "auth/signed_link.h"
#include "services/media/access_log.h"
#include "services/media/blobs.h"
#include "services/media/describe.h"
#include "services/media/served.h"
#include "services/media/store.h"

/* Of what is not public: one's own, and what a signature grants to its viewer. Both outcomes are kept. */
static bool may_see(struct rpc_call *c, const Media__DownloadMediaRequest *in, const MediaRows__StoredMedia *row,
                    struct media_access *access)
{
        bool is_linked =
            link_holds(MEDIA_LINK, describe_link(c->arena, row->id, in->viewer), in->expires, in->signature, c->now_ms);

        *access = (struct media_access){.media_id = row->id,
                                        .owner_id = row->owner_id,
                                        .viewer_id = is_linked ? in->viewer : c->actor,
                                        .variant = in->variant,
                                        .granted = is_linked || strcmp(row->owner_id, c->actor) == 0};
        return access->granted;
}

static sn_status find_variant(struct db_tx *tx, const char *id, const char *name, struct served *out)
{
        MediaRows__Variant variant = MEDIA_ROWS__VARIANT__INIT;

        TRY(store_variant(tx, id, name, &variant));
        out->sha256 = variant.sha256;
        out->mime_type = variant.mime_type;
        return SN_OK;
}

static sn_status find_served(struct rpc_call *c, struct db_tx *tx, const Media__DownloadMediaRequest *in,
                             struct served *out, struct media_access *access)
{
        MediaRows__StoredMedia row = MEDIA_ROWS__STORED_MEDIA__INIT;

        TRY(store_media(tx, in->id, &row));
        if ((!row.is_public && !may_see(c, in, &row, access)) || row.content_sha256[0] == '\0') {
                return SN_NOT_FOUND;
        }
        out->is_public = row.is_public;
        out->sha256 = row.content_sha256;
        out->mime_type = row.media->mime_type;
        return strcmp(in->variant, "original") == 0 ? SN_OK : find_variant(tx, in->id, in->variant, out);
}

/* What one may not see is not found, in the same words as what is not there. */
static sn_status find(struct rpc_call *c, const Media__DownloadMediaRequest *in, struct served *out)
{
        struct media_access access = {0};
        sn_status status = DB_READ(c, tx, find_served(c, tx, in, out, &access));

        if (access.media_id != NULL) {
                access_log_add(c, &access);
        }
        return status == SN_NOT_FOUND ? rpc_fail(c, SN_NOT_FOUND, NULL, "there is no such file, or you may not see it")
                                      : status;
}

static sn_status look_up(struct rpc_call *c, const Media__DownloadMediaRequest *in, struct served *file)
{
        uint64_t version = served_version();

        TRY(find(c, in, file));
        TRY(blob_answer(c, file->sha256));
        served_keep(version, in->id, in->variant, file, c->file->fd);
        return SN_OK;
}

sn_status media_handle_download_media(struct rpc_call *c, const Media__DownloadMediaRequest *in, File__Chunk *out)
{
        struct served file = {NULL, NULL, false};
        int fd = -1;

        bool is_open = served_find(c, in->id, in->variant, &file, &fd);
        TRY(is_open ? rpc_answer_file(c, fd) : look_up(c, in, &file));
        out->etag = file.sha256;
        out->mime_type = file.mime_type;
        out->inline_ = true;
        /* Cached for a short time only: it may stop being public, be deleted, or get another focus. Its ETag makes
         * revalidation cheap. */
        out->cache_control = file.is_public ? "public, max-age=300" : "private, max-age=300";
        return SN_OK;
}
