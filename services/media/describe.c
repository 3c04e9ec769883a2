/* Owns the URLs of media. */
#include "services/media/describe.h"

static const char *base_url = "";

void describe_start(const char *public_url)
{
        base_url = public_url;
}

static char *url_of(struct rpc_call *c, const char *id, const char *variant)
{
        return arena_printf(c->arena, "%s/media/%s/%s", base_url, id, variant);
}

void describe_own(struct rpc_call *c, MediaRows__StoredMedia *row)
{
        Media__Media *media = row->media;

        if (media->status == MEDIA__STATUS__STATUS_READY) {
                media->url = url_of(c, media->id, "original");
                media->preview_url = url_of(c, media->id, "small");
        }
}
