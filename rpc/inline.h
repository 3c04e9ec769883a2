/* Runs a request on the I/O thread that read it: for responses from memory, handing over to a worker costs more than
 * the work. Only methods that read are tried (GET routes, and internal methods that are `quick`), and only up to where
 * they would block (base/no_wait.h); then a worker runs the request again from the start. A method that had to wait
 * several times in a row goes straight to workers, and is retried inline now and then. */
#ifndef RPC_INLINE_H
#define RPC_INLINE_H

#include <stdbool.h>
#include "base/call.h"
#include "base/contract.h"

/* Whether trying this method inline is worthwhile now. */
bool rpc_inline_is_worth(const struct rpc_method *m);
/* An attempt with an admitted call. rpc_inline_end: true if it counts; otherwise the call is as it was before, and
 * the result must be dropped. Only success shows that the method need not wait, since a rejected call may not have
 * got that far. */
struct rpc_inline {
        struct rpc_call *call;
        struct arena_mark mark;
};
struct rpc_inline rpc_inline_begin(struct rpc_call *c);
SN_CHECKED bool rpc_inline_end(const struct rpc_inline *attempt, bool success);
/* The request whose attempt had to wait has its response, or will get none. Attempts rejected before that point are
 * treated the same: what they lack may be what a worker would load. */
void rpc_inline_waited(const struct rpc_method *m);
/* During an attempt: calls to other services are counted only if it counts, as the worker's run would count them
 * again. False: no attempt runs on this thread. */
SN_CHECKED bool rpc_inline_count(const struct rpc_method *m, sn_status status, int64_t duration_us);

#endif
