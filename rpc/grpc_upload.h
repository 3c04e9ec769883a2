/* A body that comes in chunks to the gRPC server, into a file (base/spool.h). */
#ifndef RPC_GRPC_UPLOAD_H
#define RPC_GRPC_UPLOAD_H

#include "rpc/grpc_request.h"

/* From now on the body of a request that was admitted goes into a file. */
SN_CHECKED sn_status grpc_upload_begin(struct grpc_request *r);
/* When all of it has come, or as much as will: gives the fields of the first message, packed, and the call its body. */
SN_CHECKED sn_status grpc_upload_finish(struct grpc_upload *u, struct str *fields);

#endif
