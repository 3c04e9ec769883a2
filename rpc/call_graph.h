/* Call graph: who may call whom. Declared, so that it stays acyclic: a handler that waits for another service can never
 * wait for itself. rpc_invoke refuses what is not here. */
#ifndef RPC_CALL_GRAPH_H
#define RPC_CALL_GRAPH_H

#include <stdbool.h>
#include <stddef.h>

/* The gateway may call every service; nobody calls it. */
#define CALL_GRAPH_GATEWAY "gateway"
/* The one method that consumers call: it reads the callee's event log and calls nobody, so its edges may point
 * anywhere. */
#define CALL_GRAPH_READ_LOG "ReadOutbox"

struct call_edge {
        const char *caller, *callee;
};

/* A member's request may cause these (handlers); together they have no cycle. */
const struct call_edge *call_graph_calls(size_t *n);
/* Consumers read these logs. */
const struct call_edge *call_graph_logs(size_t *n);

/* True when a service may call this method of another one. */
bool call_graph_allows(const char *caller, const char *callee, const char *method);
/* True for the name of a service in the graph, or the gateway. */
bool call_graph_knows(const char *service);

#endif
