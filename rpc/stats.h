/* Stats: the metrics of each method, looked up once. */
#ifndef RPC_STATS_H
#define RPC_STATS_H

#include "base/contract.h"

/* At start, before any thread. Asking twice is harmless. */
void rpc_stats_register(const struct rpc_service *contract);
/* sonet_rpc_seconds{method} and sonet_rpc_total{method,code}. Methods that nobody registered are not counted. */
void rpc_stats_count(const struct rpc_method *m, sn_status status, int64_t duration_us);

#endif
