/* Call graph: which services may call which, as declared in the contracts ((sonet.service) in each .proto). It is
 * acyclic, which a test checks, so a handler waiting for another service can never wait for itself. rpc_invoke
 * rejects undeclared calls. */
#ifndef RPC_CALL_GRAPH_H
#define RPC_CALL_GRAPH_H

#include <stdbool.h>

/* The gateway may call every service; no service calls it. */
#define CALL_GRAPH_GATEWAY "gateway"
/* The only method that consumers call: it reads the callee's event log and calls nothing, so `reads` may contain
 * cycles. */
#define CALL_GRAPH_READ_LOG "ReadOutbox"
/* Likewise the method of the job that collects all data about a member, if the contract says `collects_exports`. */
#define CALL_GRAPH_READ_EXPORT "ReadExport"

/* True if a service may call this method of another one. */
bool call_graph_allows(const char *caller, const char *callee, const char *method);
/* The depth of the calls below a service: 0 if it calls none, otherwise one more than the highest rank that it
 * calls. Cycles have no rank and get CALL_GRAPH_MAX_RANK. */
#define CALL_GRAPH_MAX_RANK 15
int call_graph_rank(const char *service);
/* True for the name of a registered service, or the gateway. */
bool call_graph_knows(const char *service);

#endif
