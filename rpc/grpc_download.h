/* A response of the gRPC server that is a file: the first message, then the region in chunks, at the client's pace. */
#ifndef RPC_GRPC_DOWNLOAD_H
#define RPC_GRPC_DOWNLOAD_H

#include "http/server.h"
#include "rpc/rpc.h"

/* Takes ownership of the call's file and of the first message, which is framed. */
struct http_flow *grpc_download_new(struct rpc_call *c, struct http_request *http, struct buf *first);

#endif
