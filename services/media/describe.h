/* Media as clients are shown them. */
#ifndef SERVICES_MEDIA_DESCRIBE_H
#define SERVICES_MEDIA_DESCRIBE_H

#include "services/media/media.h"
#include "services/media/media_rows.rpc.h"

void describe_start(const char *public_url);
/* Gives a row its URLs, once it is ready: plain ones of what is public, others signed for a viewer who may see it; "":
 * one who is not logged in. */
void describe(struct rpc_call *c, MediaRows__StoredMedia *row, const char *viewer_id);
/* What is signed: which media, for whom. */
char *describe_link(struct arena *arena, const char *media_id, const char *viewer_id);

#endif
