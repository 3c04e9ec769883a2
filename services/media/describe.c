/* Owns the URLs of media. */
#include "services/media/describe.h"

#include <inttypes.h>
#include "auth/signed_link.h"

enum { WINDOW_S = 1800 };

static const char *base_url = "";

/* The variants that URLs are given for, by kind. */
static const struct shown {
        const char *url, *preview;
} shown[] = {
    [MEDIA__KIND__KIND_IMAGE] = {"original", "small"},
    [MEDIA__KIND__KIND_VIDEO] = {"mp4", "poster"},
    [MEDIA__KIND__KIND_AUDIO] = {"mp3", NULL},
};

void describe_start(const char *public_url)
{
        base_url = public_url;
}

/* The expiry of a URL signed now, in 30 to 60 minutes. Rounded to half-hours, so that URLs stay the same and browsers
 * can use their caches. */
static int64_t expiry_s(int64_t now_ms)
{
        return (now_ms / 1000 / WINDOW_S + 2) * WINDOW_S;
}

char *describe_link(struct arena *arena, const char *media_id, const char *viewer_id)
{
        return arena_printf(arena, "%s %s", media_id, viewer_id);
}

static char *url_of(struct rpc_call *c, const MediaRows__StoredMedia *row, const char *viewer_id, const char *variant)
{
        int64_t expires_s = expiry_s(c->now_ms);
        char signature[LINK_SIGNATURE_SIZE];

        if (row->is_public) {
                return arena_printf(c->arena, "%s/media/%s/%s", base_url, row->id, variant);
        }
        link_sign(MEDIA_LINK, describe_link(c->arena, row->id, viewer_id), expires_s, signature);
        return arena_printf(c->arena, "%s/media/%s/%s?expires=%" PRId64 "&signature=%s%s%s", base_url, row->id, variant,
                            expires_s, signature, viewer_id[0] != '\0' ? "&viewer=" : "", viewer_id);
}

void describe(struct rpc_call *c, MediaRows__StoredMedia *row, const char *viewer_id)
{
        if (row->content_sha256[0] != '\0') {
                const struct shown *s = &shown[row->media->kind];

                row->media->url = url_of(c, row, viewer_id, s->url);
                row->media->preview_url = s->preview != NULL ? url_of(c, row, viewer_id, s->preview) : "";
        }
}
