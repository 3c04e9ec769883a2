/* Running a request on the I/O thread that read it, without handing it to a worker: a hand-over costs more than many an
 * answer from memory. Only methods that read are tried, and only as far as they need not wait (base/no_wait.h); what
 * would have to wait runs again on a worker, from the start. A method that had to wait several times in a row goes to
 * workers at once, and is tried again now and then. */
#ifndef RPC_INLINE_H
#define RPC_INLINE_H

#include <stdbool.h>
#include "base/call.h"
#include "base/contract.h"

/* Whether a request for the method is worth an attempt now. */
bool rpc_inline_is_worth(const struct rpc_method *m);
/* An attempt with a call that was admitted. rpc_inline_end: true when it counts; otherwise the call is as it was
 * before, and what the attempt answered is to be dropped. Only success says that the method needs not wait: what was
 * refused may not have come so far. */
struct rpc_inline {
        struct rpc_call *call;
        struct arena_mark mark;
};
struct rpc_inline rpc_inline_begin(struct rpc_call *c);
SN_CHECKED bool rpc_inline_end(const struct rpc_inline *attempt, bool success);
/* A request whose attempt had to wait has its answer, or will have none. Attempts that are refused before that are not
 * told apart from it: what they lack may be what it fetches. */
void rpc_inline_waited(const struct rpc_method *m);
/* During an attempt: answers of other services are counted when it counts, or the next run would count them again.
 * False: this thread makes none. */
SN_CHECKED bool rpc_inline_count(const struct rpc_method *m, sn_status status, int64_t duration_us);

#endif
