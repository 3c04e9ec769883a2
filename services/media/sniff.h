/* The type of a file by its first bytes: never by its name, or by the type that the client gives. */
#ifndef SERVICES_MEDIA_SNIFF_H
#define SERVICES_MEDIA_SNIFF_H

#include "services/media/media.h"

enum { SNIFF_BYTES = 4096 };

struct sniffed {
        int kind; /* media.proto, Kind */
        const char *mime_type;
};

/* Reads the file from its beginning, or what follows an ID3 tag there. SN_INVALID_ARGUMENT, code unsupported_media_type
 * (415), on the given field when its type is not accepted. */
SN_CHECKED sn_status sniff(struct rpc_call *c, int fd, const char *field, struct sniffed *out);

/* The same of a file of which only the first bytes have come, at least SNIFF_BYTES. What begins with an ID3 tag passes.
 */
SN_CHECKED sn_status sniff_head(struct rpc_call *c, const uint8_t *head, size_t len, const char *field);

#endif
