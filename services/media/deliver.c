/* Owns serving the bytes of media. */
#include "services/media/media.h"

#include <string.h>
#include <strings.h>
#include "auth/signed_link.h"
#include "base/str.h"
#include "services/media/access_log.h"
#include "services/media/blobs.h"
#include "services/media/describe.h"
#include "services/media/served.h"
#include "services/media/store.h"

/* Whether the caller may see a media that is not public: as its owner, or by a signed URL. Logs both outcomes. */
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

/* --- content negotiation --- */

/* "q=0", "q=0.000" */
static bool is_refusal(struct str parameter)
{
        bool is = parameter.len > 2 && strncasecmp(parameter.ptr, "q=0", 3) == 0;

        for (size_t i = 3; is && i < parameter.len; i++) {
                is = parameter.ptr[i] == '.' || parameter.ptr[i] == '0';
        }
        return is;
}

/* "image/avif;q=0.8". Wildcards do not count, since clients without AVIF send them, too. */
static bool is_avif(struct str range)
{
        struct str type, parameter;
        bool is = str_next(&range, ';', &type) && str_equal_nocase(str_trim(type), STR("image/avif"));

        while (is && str_next(&range, ';', &parameter)) {
                is = !is_refusal(str_trim(parameter));
        }
        return is;
}

static bool takes_avif(const char *accept)
{
        struct str rest = str_of(accept), range;

        while (str_next(&rest, ',', &range)) {
                if (is_avif(range)) {
                        return true;
                }
        }
        return false;
}

static bool is_one_of(const char *variant, const char *const *names)
{
        while (*names != NULL && strcmp(variant, *names) != 0) {
                names++;
        }
        return *names != NULL;
}

/* Whether the variant may exist both as WebP and as AVIF. */
static bool is_picture(const char *variant)
{
        static const char *const names[] = {"large", "medium", "small", "thumb", NULL};

        return is_one_of(variant, names);
}

/* Variants that no media can have are not looked up, and are not added to the access log. */
static bool is_possible(const char *variant)
{
        static const char *const names[] = {"original", "mp4", "poster", "mp3", "ogg", NULL};

        return is_picture(variant) || is_one_of(variant, names);
}

/* The name of the preferred variant. */
static const char *wanted_name(struct rpc_call *c, const Media__DownloadMediaRequest *in)
{
        return is_picture(in->variant) && takes_avif(in->accept) ? arena_printf(c->arena, "%s.avif", in->variant)
                                                                 : in->variant;
}

/* --- serving --- */

static sn_status find_variant(struct db_tx *tx, const char *id, const char *name, struct served *out)
{
        MediaRows__Variant variant = MEDIA_ROWS__VARIANT__INIT;

        TRY(store_variant(tx, id, name, &variant));
        out->sha256 = variant.sha256;
        out->mime_type = variant.mime_type;
        return SN_OK;
}

/* A picture may have no AVIF, because it was processed before AVIF was supported or elsewhere, or because encoding took
 * too long. */
static sn_status find_one_of(struct db_tx *tx, const Media__DownloadMediaRequest *in, const char *wanted,
                             struct served *out)
{
        sn_status status = find_variant(tx, in->id, wanted, out);

        return status == SN_NOT_FOUND && wanted != in->variant ? find_variant(tx, in->id, in->variant, out) : status;
}

static sn_status find_served(struct rpc_call *c, struct db_tx *tx, const Media__DownloadMediaRequest *in,
                             const char *wanted, struct served *out, struct media_access *access)
{
        MediaRows__StoredMedia row = MEDIA_ROWS__STORED_MEDIA__INIT;

        TRY(store_media(tx, in->id, &row));
        if ((!row.is_public && !may_see(c, in, &row, access)) || row.content_sha256[0] == '\0') {
                return SN_NOT_FOUND;
        }
        out->is_public = row.is_public;
        out->sha256 = row.content_sha256;
        out->mime_type = row.media->mime_type;
        return strcmp(in->variant, "original") == 0 ? SN_OK : find_one_of(tx, in, wanted, out);
}

/* Hidden media are not found, with the same error as those that do not exist. */
static sn_status fail_missing(struct rpc_call *c)
{
        return rpc_fail(c, SN_NOT_FOUND, NULL, "there is no such file, or you may not see it");
}

static sn_status find_file(struct rpc_call *c, const Media__DownloadMediaRequest *in, const char *wanted,
                           struct served *out)
{
        struct media_access access = {0};
        sn_status status = DB_READ(c, tx, find_served(c, tx, in, wanted, out, &access));

        if (access.media_id != NULL) {
                access_log_add(c, &access);
        }
        return status == SN_NOT_FOUND ? fail_missing(c) : status;
}

static sn_status look_up(struct rpc_call *c, const Media__DownloadMediaRequest *in, const char *wanted,
                         struct served *file)
{
        uint64_t version = served_version();

        TRY(find_file(c, in, wanted, file));
        TRY(blob_answer(c, file->sha256));
        served_keep(version, in->id, wanted, file, c->file->fd);
        return SN_OK;
}

/* The content of a URL never changes, except for a thumbnail, which follows the focus. But it may be deleted or stop
 * being public, so it is cached for a short time only; its ETag makes revalidation cheap. */
static char *cache_control(const struct served *file, const char *variant)
{
        if (strcmp(variant, "thumb") == 0) {
                return file->is_public ? "public, max-age=300" : "private, max-age=300";
        }
        return file->is_public ? "public, max-age=300, immutable" : "private, max-age=300, immutable";
}

sn_status media_handle_download_media(struct rpc_call *c, const Media__DownloadMediaRequest *in, File__Chunk *out)
{
        struct served file = {NULL, NULL, false};
        const char *wanted = wanted_name(c, in);
        int fd = -1;

        if (!is_possible(in->variant)) {
                return fail_missing(c);
        }
        bool is_open = served_find(c, in->id, wanted, &file, &fd);
        TRY(is_open ? rpc_answer_file(c, fd) : look_up(c, in, wanted, &file));
        out->etag = file.sha256;
        out->mime_type = file.mime_type;
        out->inline_ = true;
        out->vary = is_picture(in->variant) ? "Accept" : "";
        out->cache_control = cache_control(&file, in->variant);
        return SN_OK;
}
