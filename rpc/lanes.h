/* Lanes: the worker pools in which requests run. A worker blocks while its handler waits for another service, so
 * that service must never have to wait for this worker, however services are spread over processes. Therefore client
 * requests have their own lanes, and calls between services have one per rank of the call graph: a worker waits only
 * for lower ranks, and those of rank 0 wait for no service. Within a rank, methods that a contract assigns to
 * another lane (`lane: LANE_PASSWORD`) have a separate pool: a hash takes 20 ms and 19 MiB, so log-ins queue behind
 * log-ins and never delay a timeline. */
#ifndef RPC_LANES_H
#define RPC_LANES_H

#include "rpc/rpc.h"

/* For the services registered so far. general_threads serve clients, and half as many serve gRPC calls of each rank;
 * queue_length bounds each queue. NULL if a thread could not be started. */
struct rpc_lanes *rpc_lanes_new(int general_threads, int password_threads, int queue_length);
/* The pool for a client's request over REST; method NULL: a page of the gateway. */
struct workers *rpc_lanes_of_request(const struct rpc_lanes *lanes, const struct rpc_method *method);
/* The pool for a call over gRPC to a method of a local service. */
struct workers *rpc_lanes_of_call(const struct rpc_lanes *lanes, const struct rpc_method *method);
/* The problem for a request that found its lane's queue full. */
struct rpc_problem rpc_lanes_refusal(struct workers *lane);
/* Runs what is queued, then stops; the servers that submit to it must have stopped. Takes NULL. */
void rpc_lanes_free(struct rpc_lanes *lanes);

#endif
