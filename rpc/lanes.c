/* The lanes of a process, created and stopped together. */
#include "rpc/lanes.h"

#include <stdio.h>
#include <stdlib.h>
#include "rpc/call_graph.h"

enum { CLIENTS = CALL_GRAPH_MAX_RANK + 1, LEVELS }; /* a level is a rank, or, above all ranks, clients */

struct rpc_lanes {
        struct workers *pool[LEVELS][RPC_LANE_COUNT];
        int threads[RPC_LANE_COUNT];
        int queue_length;
};

static const char *const LANE_NAMES[RPC_LANE_COUNT] = {[RPC_LANE_GENERAL] = "", [RPC_LANE_PASSWORD] = "-password"};

/* "clients", "rank2", "rank0-password": thread names are limited to 15 characters. */
static bool open_pool(struct rpc_lanes *lanes, int level, enum rpc_lane lane)
{
        int threads = lanes->threads[lane];
        char name[32];

        if (lanes->pool[level][lane] != NULL) {
                return true;
        }
        if (level == CLIENTS) {
                snprintf(name, sizeof(name), "clients%s", LANE_NAMES[lane]);
        } else {
                snprintf(name, sizeof(name), "rank%d%s", level, LANE_NAMES[lane]);
                threads = lane == RPC_LANE_GENERAL ? (threads + 1) / 2 : threads;
        }
        struct workers *pool = workers_new(name, threads, lanes->queue_length);

        if (pool != NULL && lane == RPC_LANE_PASSWORD) {
                workers_refuse_late(pool);
        }
        lanes->pool[level][lane] = pool;
        return pool != NULL;
}

/* Clients may call any method, wherever it runs; other processes call services that run here. */
static bool open_pools_of(struct rpc_lanes *lanes, const struct rpc_service *contract)
{
        bool is_local = rpc_local_service(contract->name) != NULL, ok = true;
        int rank = call_graph_rank(contract->name);

        for (size_t i = 0; ok && i < contract->n_methods; i++) {
                ok = open_pool(lanes, CLIENTS, contract->methods[i].lane);
                ok = ok && (!is_local || open_pool(lanes, rank, contract->methods[i].lane));
        }
        return ok;
}

struct rpc_lanes *rpc_lanes_new(int general_threads, int password_threads, int queue_length)
{
        struct rpc_lanes *lanes = calloc(1, sizeof(*lanes));
        const struct rpc_service *const *contracts;
        size_t n = contract_services(&contracts);

        if (lanes == NULL) {
                return NULL;
        }
        lanes->threads[RPC_LANE_GENERAL] = general_threads;
        lanes->threads[RPC_LANE_PASSWORD] = password_threads;
        lanes->queue_length = queue_length;
        bool ok = open_pool(lanes, CLIENTS, RPC_LANE_GENERAL); /* pages */
        for (size_t i = 0; ok && i < n; i++) {
                ok = open_pools_of(lanes, contracts[i]);
        }
        if (!ok) {
                rpc_lanes_free(lanes);
                return NULL;
        }
        return lanes;
}

struct workers *rpc_lanes_of_request(const struct rpc_lanes *lanes, const struct rpc_method *method)
{
        return lanes->pool[CLIENTS][method != NULL ? method->lane : RPC_LANE_GENERAL];
}

struct workers *rpc_lanes_of_call(const struct rpc_lanes *lanes, const struct rpc_method *method)
{
        return lanes->pool[call_graph_rank(method->service->name)][method->lane];
}

struct rpc_problem rpc_lanes_refusal(struct workers *lane)
{
        return (struct rpc_problem){.status = SN_RESOURCE_EXHAUSTED,
                                    .code = "queue_full",
                                    .detail = "the server is busy; try again after the time in Retry-After",
                                    .retry_after_s = workers_retry_after_s(lane)};
}

void rpc_lanes_free(struct rpc_lanes *lanes)
{
        if (lanes == NULL) {
                return;
        }
        for (int level = 0; level < LEVELS; level++) {
                for (int lane = 0; lane < RPC_LANE_COUNT; lane++) {
                        workers_free(lanes->pool[level][lane]);
                }
        }
        free(lanes);
}
