/* What a file is, by its first bytes: never by its name, or by what the client calls it. */
#ifndef SERVICES_MEDIA_SNIFF_H
#define SERVICES_MEDIA_SNIFF_H

#include "services/media/media.h"

struct sniffed {
        int kind; /* media.proto, Kind */
        const char *mime_type;
};

/* Of a file from its beginning. SN_INVALID_ARGUMENT, code unsupported_media_type (415), on the given field when it is
 * nothing that is taken. */
SN_CHECKED sn_status sniff(struct rpc_call *c, int fd, const char *field, struct sniffed *out);

#endif
