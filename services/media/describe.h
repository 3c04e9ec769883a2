/* Media as clients are shown them. */
#ifndef SERVICES_MEDIA_DESCRIBE_H
#define SERVICES_MEDIA_DESCRIBE_H

#include "services/media/media.h"
#include "services/media/media_rows.rpc.h"

void describe_start(const char *public_url);
/* Gives a row its URLs, for its owner. */
void describe_own(struct rpc_call *c, MediaRows__StoredMedia *row);

#endif
