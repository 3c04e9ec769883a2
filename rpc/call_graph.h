/* Call graph: who may call whom, as the contracts declare it ((sonet.service) in each .proto). It is acyclic, which a
 * test of all services shows: a handler that waits for another service can never wait for itself. rpc_invoke refuses
 * what is not declared. */
#ifndef RPC_CALL_GRAPH_H
#define RPC_CALL_GRAPH_H

#include <stdbool.h>

/* The gateway may call every service; no service calls it. */
#define CALL_GRAPH_GATEWAY "gateway"
/* The one method that consumers call: it reads the callee's event log and calls no one, so `reads` may point anywhere.
 */
#define CALL_GRAPH_READ_LOG "ReadOutbox"
/* And the one that a job calls which gathers what all services keep of a member: likewise, where the contract says
 * `collects_exports`. */
#define CALL_GRAPH_READ_EXPORT "ReadExport"

/* True when a service may call this method of another one. */
bool call_graph_allows(const char *caller, const char *callee, const char *method);
/* How deep the calls below a service go: 0 for one that calls none, else one more than the highest of those it calls.
 * A cycle has no ranks, and gets CALL_GRAPH_MAX_RANK. */
#define CALL_GRAPH_MAX_RANK 15
int call_graph_rank(const char *service);
/* True for the name of a registered service, or the gateway. */
bool call_graph_knows(const char *service);

#endif
