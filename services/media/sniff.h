/* The type of a file by its first bytes: never by its name, or by the type that the client gives. */
#ifndef SERVICES_MEDIA_SNIFF_H
#define SERVICES_MEDIA_SNIFF_H

#include "services/media/media.h"

struct sniffed {
        int kind; /* media.proto, Kind */
        const char *mime_type;
};

/* Reads the file from its beginning, or what follows an ID3 tag there. SN_INVALID_ARGUMENT, code unsupported_media_type
 * (415), on the given field when its type is not accepted. */
SN_CHECKED sn_status sniff(struct rpc_call *c, int fd, const char *field, struct sniffed *out);

#endif
