/* Reads the call graph from the registered contracts. */
#include "rpc/call_graph.h"

#include <stddef.h>
#include <string.h>
#include "base/contract.h"

static const struct rpc_service *find_contract(const char *name)
{
        const struct rpc_service *const *contracts;
        size_t n = contract_services(&contracts);

        for (size_t i = 0; i < n; i++) {
                if (strcmp(contracts[i]->name, name) == 0) {
                        return contracts[i];
                }
        }
        return NULL;
}

static bool contains_name(const char *const *names, const char *name)
{
        for (size_t i = 0; names != NULL && names[i] != NULL; i++) {
                if (strcmp(names[i], name) == 0) {
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
        const struct rpc_service *contract = find_contract(caller);
        if (contract == NULL) {
                return false;
        }
        if (strcmp(method, CALL_GRAPH_READ_EXPORT) == 0) {
                return contract->collects_exports && find_contract(callee) != NULL;
        }
        return contains_name(strcmp(method, CALL_GRAPH_READ_LOG) == 0 ? contract->reads : contract->calls, callee);
}

static int rank_of(const char *service, int depth)
{
        const struct rpc_service *contract = find_contract(service);
        int rank = 0;

        if (depth == CALL_GRAPH_MAX_RANK) {
                return 0; /* a cycle: its callers count up to the maximum */
        }
        for (size_t i = 0; contract != NULL && contract->calls != NULL && contract->calls[i] != NULL; i++) {
                int above = 1 + rank_of(contract->calls[i], depth + 1);

                rank = above > rank ? above : rank;
        }
        return rank;
}

int call_graph_rank(const char *service)
{
        return rank_of(service, 0);
}

bool call_graph_knows(const char *service)
{
        const struct rpc_service *contract = find_contract(service);

        return strcmp(service, CALL_GRAPH_GATEWAY) == 0 || (contract != NULL && contract->n_methods > 0);
}
