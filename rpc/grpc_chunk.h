/* Chunks of a body or file in gRPC messages: each holds up to GRPC_CHUNK_BYTES in the field declared `chunk`, and
 * the first message of a request also holds the other fields. Uses no socket and no thread. */
#ifndef RPC_GRPC_CHUNK_H
#define RPC_GRPC_CHUNK_H

#include <sys/types.h>
#include "base/buf.h"
#include "base/str.h"
#include "http/server.h"

enum {
        GRPC_CHUNK_BYTES = 64 << 10,
        GRPC_CHUNK_HEAD_BYTES = 16,         /* most bytes before the payload */
        GRPC_CHUNK_FIELDS_BYTES = 64 << 10, /* of the other fields, in the first message */
};

/* Writes the header of a message with only len bytes in the given field, and returns its length. */
size_t grpc_chunk_head(uint32_t field, size_t len, char out[GRPC_CHUNK_HEAD_BYTES]);

/* Finds the bytes of the field in a packed message ("" if it has none) and appends everything else to rest. False:
 * the message is malformed or has the field twice. Safe on any input. */
bool grpc_chunk_split(struct str message, uint32_t field, struct str *bytes, struct buf *rest);

/* A region of a file being sent as messages. */
struct grpc_region {
        int fd;
        bool is_pipe;     /* only for a response */
        int64_t at, left; /* not yet sent */
        uint32_t field;
        struct http_request *answered;
        char head[GRPC_CHUNK_HEAD_BYTES]; /* of the current message */
        size_t head_len, head_at, chunk_left;
};

/* answered: the request being answered, whose I/O thread must not block on the disk; or NULL. */
struct grpc_region grpc_region_of(int fd, int64_t offset, int64_t length, uint32_t field,
                                  struct http_request *answered);
/* Writes the next bytes and returns how many; 0 at the end; HTTP_FLOW_BROKEN if the file was truncated or cannot be
 * read; for a response also HTTP_FLOW_WAITS. */
ssize_t grpc_region_read(struct grpc_region *r, char *into, size_t size);

#endif
