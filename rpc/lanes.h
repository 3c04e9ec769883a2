/* Lanes: the worker pools in which the requests of both transports run. Passwords have their own small one, because a
 * hash takes 20 ms and 19 MiB: logins then queue behind logins, and never before a timeline. */
#ifndef RPC_LANES_H
#define RPC_LANES_H

#include "rpc/rpc.h"

/* queue_length bounds each lane's queue. NULL when a thread could not be started. */
struct rpc_lanes *rpc_lanes_new(int general_threads, int password_threads, int queue_length);
/* Runs what is queued, then stops: the servers that submit to it are stopped before. Takes NULL. */
void rpc_lanes_free(struct rpc_lanes *lanes);

#endif
