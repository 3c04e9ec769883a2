/* Asks a method's service about a body while it still arrives (sonet/body.proto): once its head is known, and again
 * with its first bytes. A worker asks; meanwhile no more of the body is read, and spool_tell says when to go on. */
#ifndef RPC_ADMISSION_H
#define RPC_ADMISSION_H

#include "base/call.h"
#include "base/str.h"
#include "base/workers.h"

struct rpc_admission;

enum { RPC_ADMISSION_BODY_BYTES = 16 << 10 }; /* a smaller body usually comes with its head: not worth asking */

/* For asking on workers of the lane. c is the authenticated call of a method that declares an admission, request its
 * packed request as far as it is known, size the least number of bytes that the body has, 0: unknown. Copies all of
 * it. NULL: out of memory. */
struct rpc_admission *rpc_admission_begin(const struct rpc_call *c, struct workers *lane, struct str request,
                                          int64_t size);
/* The next bytes of the body; when there are 4 KiB, they are asked about. */
void rpc_admission_take(struct rpc_admission *a, struct str piece);
/* Asks if there is something to ask. True: no more of the body should be read until spool_tell (http_sink.is_full). */
bool rpc_admission_waits(struct rpc_admission *a);
/* SN_OK unless the body was refused; why is then copied into c. */
SN_CHECKED sn_status rpc_admission_check(struct rpc_admission *a, struct rpc_call *c);
/* A question under way ends without effect. Takes NULL. */
void rpc_admission_end(struct rpc_admission *a);

#endif
