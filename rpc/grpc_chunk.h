/* The bytes of a body or of a file in gRPC's messages: each has up to GRPC_CHUNK_BYTES of them in the field that says
 * `chunk`, and the first one of a request has the other fields, too. No socket, no thread. */
#ifndef RPC_GRPC_CHUNK_H
#define RPC_GRPC_CHUNK_H

#include <sys/types.h>
#include "base/buf.h"
#include "base/str.h"
#include "http/server.h"

enum {
        GRPC_CHUNK_BYTES = 64 << 10,
        GRPC_CHUNK_HEAD_BYTES = 16,         /* what stands before the bytes, at most */
        GRPC_CHUNK_FIELDS_BYTES = 64 << 10, /* of the other fields, in the first message */
};

/* The head of a message that has nothing but len bytes in the field of that number: its length. */
size_t grpc_chunk_head(uint32_t field, size_t len, char out[GRPC_CHUNK_HEAD_BYTES]);

/* Finds the bytes of that field in a packed message, "" when it has none, and appends everything else to rest. False:
 * the message is malformed, or has the field twice. Safe on any bytes. */
bool grpc_chunk_split(struct str message, uint32_t field, struct str *bytes, struct buf *rest);

/* A region of a file, on its way as messages. */
struct grpc_region {
        int fd;
        bool is_pipe;     /* of an answer only */
        int64_t at, left; /* not sent yet */
        uint32_t field;
        struct http_request *answered;
        char head[GRPC_CHUNK_HEAD_BYTES]; /* of the message that is being sent */
        size_t head_len, head_at, chunk_left;
};

/* answered: the request whose answer it is, on whose thread nothing waits for the disk; or NULL. */
struct grpc_region grpc_region_of(int fd, int64_t offset, int64_t length, uint32_t field,
                                  struct http_request *answered);
/* Puts the next bytes: how many, 0 at the end, HTTP_FLOW_BROKEN when the file has become shorter or cannot be read; of
 * an answer also HTTP_FLOW_WAITS. */
ssize_t grpc_region_read(struct grpc_region *r, char *into, size_t size);

#endif
