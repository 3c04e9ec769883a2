/* Server reflection (grpc.reflection.v1, github.com/grpc/grpc/blob/master/doc/server-reflection.md): the services of
 * this process and their descriptors, for clients without .proto files, such as grpcurl. It describes public methods
 * only (base/contract_files.h). */
#ifndef RPC_REFLECTION_H
#define RPC_REFLECTION_H

#include "rpc/rpc.h"

#define REFLECTION_METHOD "/grpc.reflection.v1.ServerReflection/ServerReflectionInfo"
#define REFLECTION_METHOD_ALPHA                                                                                        \
        "/grpc.reflection.v1alpha.ServerReflection/ServerReflectionInfo" /* the same messages                          \
                                                                          */

/* Answers one packed ServerReflectionRequest: *answer is a ServerReflectionResponse in the call's arena. "Not found"
 * is a successful answer, too. SN_INVALID_ARGUMENT for malformed bytes. */
SN_CHECKED sn_status reflection_answer(struct rpc_call *c, struct str request, ProtobufCMessage **answer);

#endif
