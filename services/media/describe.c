/* Owns the URLs of media. */
#include "services/media/describe.h"

#include <inttypes.h>
#include "services/media/signature.h"

static const char *base_url = "";

void describe_start(const char *public_url)
{
        base_url = public_url;
}

static char *url_of(struct rpc_call *c, const MediaRows__StoredMedia *row, const char *variant)
{
        int64_t expires_s = signature_expiry_s(c->now_ms);
        char signature[SIGNATURE_SIZE];

        if (row->is_public) {
                return arena_printf(c->arena, "%s/media/%s/%s", base_url, row->id, variant);
        }
        signature_make(row->id, expires_s, signature);
        return arena_printf(c->arena, "%s/media/%s/%s?expires=%" PRId64 "&signature=%s", base_url, row->id, variant,
                            expires_s, signature);
}

void describe(struct rpc_call *c, MediaRows__StoredMedia *row)
{
        if (row->content_sha256[0] != '\0') {
                row->media->url = url_of(c, row, "original");
                row->media->preview_url = url_of(c, row, "small");
        }
}
