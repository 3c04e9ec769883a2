/* Compression of a whole buffer (RFC 1952, RFC 8878). A few compression contexts are cached; further ones are freed
 * after use. */
#ifndef GATEWAY_COMPRESS_H
#define GATEWAY_COMPRESS_H

#include "base/buf.h"
#include "base/str.h"
#include "gateway/coding.h"

enum compress_effort {
        COMPRESS_FAST,  /* per response: about 2 µs per KiB */
        COMPRESS_SMALL, /* once, for a body sent many times */
};

/* Initialises out with the bytes in that coding, which must not be identity. Any thread. */
void compress_bytes(enum coding coding, enum compress_effort effort, struct str in, struct buf *out);

#endif
