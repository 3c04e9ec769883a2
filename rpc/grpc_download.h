/* An answer that is a file, from the gRPC server: its first message, then the region in chunks, as the client takes
 * them. */
#ifndef RPC_GRPC_DOWNLOAD_H
#define RPC_GRPC_DOWNLOAD_H

#include "http/server.h"
#include "rpc/rpc.h"

/* Takes over the call's file, and the first message, framed. */
struct http_flow *grpc_download_new(struct rpc_call *c, struct http_request *http, struct buf *first);

#endif
