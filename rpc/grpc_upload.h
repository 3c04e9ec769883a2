/* A body sent to the gRPC server in chunks, written to a file (base/spool.h). */
#ifndef RPC_GRPC_UPLOAD_H
#define RPC_GRPC_UPLOAD_H

#include "rpc/grpc_request.h"

/* From now on the body of the admitted request is written to a file. The service is called about it on the lane, if the
 * method declares an admission. */
SN_CHECKED sn_status grpc_upload_begin(struct grpc_request *r, struct workers *lane);
/* When the whole body, or all that will arrive, is there: returns the packed fields of the first message, and gives
 * the call its body. */
SN_CHECKED sn_status grpc_upload_finish(struct grpc_upload *u, struct str *fields);

#endif
