/* Server reflection (grpc.reflection.v1, github.com/grpc/grpc/blob/master/doc/server-reflection.md): what services this
 * process has, and the files that describe them, for clients such as grpcurl that have no .proto files. It tells what
 * the outside may call and nothing else (base/contract_files.h). */
#ifndef RPC_REFLECTION_H
#define RPC_REFLECTION_H

#include "rpc/rpc.h"

#define REFLECTION_METHOD "/grpc.reflection.v1.ServerReflection/ServerReflectionInfo"
#define REFLECTION_METHOD_ALPHA                                                                                        \
        "/grpc.reflection.v1alpha.ServerReflection/ServerReflectionInfo" /* the same messages                          \
                                                                          */

/* Answers one packed ServerReflectionRequest: *answer is a ServerReflectionResponse in the call's arena. That something
 * is not there is an answer, too. SN_INVALID_ARGUMENT for bytes that are no request. */
SN_CHECKED sn_status reflection_answer(struct rpc_call *c, struct str request, ProtobufCMessage **answer);

#endif
