/* Media as clients are shown them. */
#ifndef SERVICES_MEDIA_DESCRIBE_H
#define SERVICES_MEDIA_DESCRIBE_H

#include "services/media/media.h"
#include "services/media/media_rows.rpc.h"

void describe_start(const char *public_url);
/* Gives a row its URLs, once it is ready: plain ones of what is public, others signed. For whoever may see it. */
void describe(struct rpc_call *c, MediaRows__StoredMedia *row);

#endif
