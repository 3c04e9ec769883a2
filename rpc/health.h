/* Health checks (grpc.health.v1), for load balancers and orchestrators. */
#ifndef RPC_HEALTH_H
#define RPC_HEALTH_H

#include "rpc/rpc.h"

#define HEALTH_CHECK_METHOD "/grpc.health.v1.Health/Check"

/* Answers a packed HealthCheckRequest: *answer is a HealthCheckResponse in the call's arena. SN_NOT_FOUND for a
 * service that is not here, as the protocol requires. No authentication needed. */
SN_CHECKED sn_status health_check(struct rpc_call *c, const uint8_t *bytes, size_t len, bool ready,
                                  ProtobufCMessage **answer);

#endif
