/* Dispatch, as the two transports share it: what rpc_dispatch does, also from bytes, and the pieces that a transport
 * needs when it must refuse a request before there is a message. */
#ifndef RPC_DISPATCH_H
#define RPC_DISPATCH_H

#include "rpc/rpc.h"

/* Like rpc_dispatch, from packed bytes: they are scanned and unpacked only after the caller is known to be allowed.
 * *out is made in the call's arena. */
SN_CHECKED sn_status rpc_dispatch_packed(struct rpc_call *c, const uint8_t *bytes, size_t len, ProtobufCMessage **out);
/* Counts and logs a request that was refused before dispatch (bad token, full lane); returns the status of c->problem's
 * kind. Never waits: I/O threads call it. */
sn_status rpc_dispatch_refused(struct rpc_call *c, sn_status status);
/* The answer to a method that is not there, or that the caller must not see. */
sn_status rpc_fail_unknown_method(struct rpc_call *c);
sn_status rpc_fail_deadline(struct rpc_call *c);
/* Forgets the key where the method takes none; SN_INVALID_ARGUMENT, code idempotency_key_invalid, for one that cannot
 * be kept. */
SN_CHECKED sn_status rpc_check_idempotency_key(struct rpc_call *c);
/* Fills in a problem when whoever failed left none, so that every failure has a code and a sentence. */
void rpc_problem_complete(struct rpc_call *c, sn_status status);
/* The monotonic deadline of a call to m that starts now and must not outlive `outer_us` (0: no bound). */
int64_t rpc_deadline_us(const struct rpc_method *m, int64_t outer_us);

#endif
