/* Media as shown to clients. */
#ifndef SERVICES_MEDIA_DESCRIBE_H
#define SERVICES_MEDIA_DESCRIBE_H

#include "services/media/media.h"
#include "services/media/media_rows.rpc.h"

void describe_start(const char *public_url);
/* Adds the URLs of a media that is ready: plain ones if it is public, otherwise signed for a viewer, who must be
 * allowed to see it. viewer_id: "" if not logged in. */
void describe(struct rpc_call *c, MediaRows__StoredMedia *row, const char *viewer_id);
/* The text that is signed: which media, for whom. */
char *describe_link(struct arena *arena, const char *media_id, const char *viewer_id);

#endif
