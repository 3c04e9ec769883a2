/* Compression in one go (RFC 1952, RFC 8878). Memory for it is kept for a few at a time, and given back beyond. */
#ifndef GATEWAY_COMPRESS_H
#define GATEWAY_COMPRESS_H

#include "base/buf.h"
#include "base/str.h"
#include "gateway/coding.h"

enum compress_effort {
        COMPRESS_FAST,  /* each answer: some 2 µs a KiB */
        COMPRESS_SMALL, /* once, for many answers */
};

/* Makes out (not initialised) the bytes in that coding, which is not identity. Any thread. */
void compress_bytes(enum coding coding, enum compress_effort effort, struct str in, struct buf *out);

#endif
