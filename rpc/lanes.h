/* Lanes: the worker pools in which requests run. A worker blocks while its handler waits for another service, so what
 * it waits for must never have to wait for it, however the services are spread over processes: requests of clients have
 * lanes of their own, and calls of services have one for each rank of the call graph. A worker waits for lower ranks
 * only, and those of rank 0 wait for no service. Within a rank, methods that a contract gives to another lane
 * (`lane: LANE_PASSWORD`) have a pool apart: a hash takes 20 ms and 19 MiB, so that log-ins queue behind log-ins and
 * never before a timeline. */
#ifndef RPC_LANES_H
#define RPC_LANES_H

#include "rpc/rpc.h"

/* For the services that are registered at this moment. general_threads serve clients, half as many each rank of
 * services over gRPC; queue_length bounds each queue. NULL when a thread could not be started. */
struct rpc_lanes *rpc_lanes_new(int general_threads, int password_threads, int queue_length);
/* The pool for a client's request over REST; method NULL: a page of the gateway. */
struct workers *rpc_lanes_of_request(const struct rpc_lanes *lanes, const struct rpc_method *method);
/* The pool for a call over gRPC to a method of a local service. */
struct workers *rpc_lanes_of_call(const struct rpc_lanes *lanes, const struct rpc_method *method);
/* What one is told whose request found the queue of its lane full. */
struct rpc_problem rpc_lanes_refusal(struct workers *lane);
/* Runs what is queued, then stops: the servers that submit to it are stopped before. Takes NULL. */
void rpc_lanes_free(struct rpc_lanes *lanes);

#endif
