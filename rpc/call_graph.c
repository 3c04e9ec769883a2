/* The declared edges. To add a call between services, add its edge here; test_call_graph.c refuses a cycle. */
#include "rpc/call_graph.h"

#include <string.h>

static const struct call_edge calls[] = {
    {"note", "user"},     {"note", "follow"},     {"follow", "user"},
    {"timeline", "note"}, {"timeline", "follow"}, {"timeline", "user"},
};

static const struct call_edge logs[] = {
    {"user", "follow"},
    {"user", "note"},
    {"timeline", "note"},
    {"timeline", "follow"},
};

enum { N_CALLS = sizeof(calls) / sizeof(calls[0]), N_LOGS = sizeof(logs) / sizeof(logs[0]) };

const struct call_edge *call_graph_calls(size_t *n)
{
        *n = N_CALLS;
        return calls;
}

const struct call_edge *call_graph_logs(size_t *n)
{
        *n = N_LOGS;
        return logs;
}

static bool contains(const struct call_edge *edges, size_t n, const char *caller, const char *callee)
{
        for (size_t i = 0; i < n; i++) {
                if (strcmp(edges[i].caller, caller) == 0 && strcmp(edges[i].callee, callee) == 0) {
                        return true;
                }
        }
        return false;
}

bool call_graph_allows(const char *caller, const char *callee, const char *method)
{
        if (strcmp(caller, CALL_GRAPH_GATEWAY) == 0) {
                return true;
        }
        if (strcmp(method, CALL_GRAPH_READ_LOG) == 0) {
                return contains(logs, N_LOGS, caller, callee);
        }
        return contains(calls, N_CALLS, caller, callee);
}

static bool mentions(const struct call_edge *edges, size_t n, const char *service)
{
        for (size_t i = 0; i < n; i++) {
                if (strcmp(edges[i].caller, service) == 0 || strcmp(edges[i].callee, service) == 0) {
                        return true;
                }
        }
        return false;
}

bool call_graph_knows(const char *service)
{
        return strcmp(service, CALL_GRAPH_GATEWAY) == 0 || mentions(calls, N_CALLS, service) ||
               mentions(logs, N_LOGS, service);
}
