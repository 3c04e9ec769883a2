/* Asks a method's service about a body while it still arrives (sonet/body.proto): once its head is known, and again
 * with its first bytes. A worker makes the call; meanwhile no more of the body is read, and spool_tell signals when to
 * continue. */
#ifndef RPC_ADMISSION_H
#define RPC_ADMISSION_H

#include "base/call.h"
#include "base/str.h"
#include "base/workers.h"

struct rpc_admission;

enum {
        RPC_ADMISSION_BODY_BYTES = 16 << 10, /* a smaller body usually arrives with its head: not worth a call */
        RPC_ADMISSION_HEAD_BYTES = 4096      /* the first bytes of the body, about which the service is asked */
};

/* For calls on workers of the lane. c is the authenticated call of a method that declares an admission, request its
 * packed request as far as it is known, size the minimum size of the body, 0: unknown. Copies all of it. NULL: out of
 * memory. */
struct rpc_admission *rpc_admission_begin(const struct rpc_call *c, struct workers *lane, struct str request,
                                          int64_t size);
/* The next bytes of the body; once all of the head is there, the service is called with it, and more is ignored. */
void rpc_admission_take(struct rpc_admission *a, struct str piece);
/* Starts a call if one is due. True: no more of the body should be read until spool_tell (http_sink.is_full). */
bool rpc_admission_waits(struct rpc_admission *a);
/* SN_OK unless the body was rejected; the problem is then copied into c. */
SN_CHECKED sn_status rpc_admission_check(struct rpc_admission *a, struct rpc_call *c);
/* A call in flight ends without effect. Takes NULL. */
void rpc_admission_end(struct rpc_admission *a);

#endif
