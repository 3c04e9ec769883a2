/* The parts of dispatch shared by both transports: rpc_dispatch from bytes, and what a transport needs to reject a
 * request before it has a message. */
#ifndef RPC_DISPATCH_H
#define RPC_DISPATCH_H

#include "rpc/rpc.h"

/* Like rpc_dispatch, but from packed bytes, which are scanned and unpacked only after the caller has been
 * authorised. *out is allocated in the call's arena. */
SN_CHECKED sn_status rpc_dispatch_packed(struct rpc_call *c, const uint8_t *bytes, size_t len, ProtobufCMessage **out);
/* Counts and logs a request that was rejected before dispatch (invalid token, full lane); returns the status of
 * c->problem. Never blocks, as I/O threads call it. */
sn_status rpc_dispatch_refused(struct rpc_call *c, sn_status status);
/* Counts and logs a request that got a kept response (gateway/kept.h). */
void rpc_dispatch_repeated(struct rpc_call *c, int64_t started_us);
/* The response for a method that does not exist or that the caller must not know of. */
sn_status rpc_fail_unknown_method(struct rpc_call *c);
sn_status rpc_fail_deadline(struct rpc_call *c);
/* Clears the key if the method takes none. SN_INVALID_ARGUMENT (idempotency_key_invalid) if the key is malformed. */
SN_CHECKED sn_status rpc_check_idempotency_key(struct rpc_call *c);
/* Fills in a problem if the failing code left none, so that every failure has a code and a sentence. */
void rpc_problem_complete(struct rpc_call *c, sn_status status);
/* The monotonic deadline of a call to m that starts now and must not outlive `outer_us` (0: no bound). */
int64_t rpc_deadline_us(const struct rpc_method *m, int64_t outer_us);

#endif
