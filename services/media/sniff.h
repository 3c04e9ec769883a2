/* Detects the type of a file by its first bytes, never by its name or the type given by the client. */
#ifndef SERVICES_MEDIA_SNIFF_H
#define SERVICES_MEDIA_SNIFF_H

#include "services/media/media.h"

enum { SNIFF_BYTES = 4096 };

struct sniffed {
        int kind; /* Kind of media.proto */
        const char *mime_type;
};

/* Reads the beginning of the file, or what follows an ID3 tag there. SN_INVALID_ARGUMENT, code unsupported_media_type
 * (415), on the field if the type is not accepted. */
SN_CHECKED sn_status sniff(struct rpc_call *c, int fd, const char *field, struct sniffed *out);

/* The same for a file of which only the beginning has arrived, at least SNIFF_BYTES. Accepts anything that begins with
 * an ID3 tag. */
SN_CHECKED sn_status sniff_head(struct rpc_call *c, const uint8_t *head, size_t len, const char *field);

#endif
