/* The lanes of a process, made and stopped together. */
#include "rpc/lanes.h"

#include <stdlib.h>

struct rpc_lanes *rpc_lanes_new(int general_threads, int password_threads, int queue_length)
{
        struct rpc_lanes *lanes = calloc(1, sizeof(*lanes));
        if (lanes == NULL) {
                return NULL;
        }
        lanes->lane[RPC_LANE_GENERAL] = workers_new("general", general_threads, queue_length);
        lanes->lane[RPC_LANE_PASSWORD] = workers_new("password", password_threads, queue_length);
        for (int i = 0; i < RPC_LANE_COUNT; i++) {
                if (lanes->lane[i] == NULL) {
                        rpc_lanes_free(lanes);
                        return NULL;
                }
        }
        return lanes;
}

void rpc_lanes_free(struct rpc_lanes *lanes)
{
        if (lanes == NULL) {
                return;
        }
        for (int i = 0; i < RPC_LANE_COUNT; i++) {
                workers_free(lanes->lane[i]);
        }
        free(lanes);
}
