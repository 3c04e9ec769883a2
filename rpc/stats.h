/* Stats: sonet_rpc_seconds{method} and sonet_rpc_total{method,code} of the services in this process. */
#ifndef RPC_STATS_H
#define RPC_STATS_H

#include "base/contract.h"

/* Adds to two of the method's counters. Methods outside of contracts (health) have none and are not counted. */
void rpc_stats_count(const struct rpc_method *m, sn_status status, int64_t duration_us);
/* For metrics_add_collector. Codes are shown only once they have occurred: seventeen codes for every method would
 * fill /metrics with zeros. */
void rpc_stats_render(struct buf *out);

#endif
