/* One row of metric pointers per method, found by the method's place in its contract. Counters by code are made when a
 * code first occurs: seventeen codes for every method would fill /metrics with zeros. */
#include "rpc/stats.h"

#include <stdatomic.h>
#include <stdio.h>
#include <stdlib.h>

#include "base/metrics.h"

enum { MAX_SERVICES = 32 };
#define N_CODES ((size_t)SN_UNAUTHENTICATED + 1)

struct method_stats {
        struct metric *seconds;
        struct metric *_Atomic total[N_CODES];
};

static struct {
        const struct rpc_service *contract;
        struct method_stats *methods;
} services[MAX_SERVICES];
static size_t n_services;

static struct method_stats *stats_of(const struct rpc_method *m)
{
        for (size_t i = 0; i < n_services; i++) {
                if (services[i].contract == m->service) {
                        return &services[i].methods[m - m->service->methods];
                }
        }
        return NULL;
}

void rpc_stats_register(const struct rpc_service *contract)
{
        if (contract->n_methods == 0 || stats_of(&contract->methods[0]) != NULL) {
                return;
        }
        struct method_stats *methods = calloc(contract->n_methods, sizeof(*methods));
        if (methods == NULL || n_services == MAX_SERVICES) {
                fputs("sonet: no room for the metrics of a service\n", stderr);
                abort();
        }
        for (size_t i = 0; i < contract->n_methods; i++) {
                const char *labels = metrics_intern("method=\"%s\"", contract->methods[i].full_name + 1);
                methods[i].seconds = metric_histogram("sonet_rpc_seconds", "Time from dispatch to answer.", labels);
        }
        services[n_services].contract = contract;
        services[n_services].methods = methods;
        n_services++;
}

static struct metric *total_of(struct method_stats *stats, const struct rpc_method *m, sn_status status)
{
        struct metric *total = atomic_load_explicit(&stats->total[status], memory_order_acquire);
        if (total == NULL) { /* two threads may both ask: they get the same metric */
                const char *labels =
                    metrics_intern("method=\"%s\",code=\"%s\"", m->full_name + 1, sn_status_name(status));
                total = metric_counter("sonet_rpc_total", "Answers by method and status.", labels);
                atomic_store_explicit(&stats->total[status], total, memory_order_release);
        }
        return total;
}

void rpc_stats_count(const struct rpc_method *m, sn_status status, int64_t duration_us)
{
        struct method_stats *stats = stats_of(m);
        if (stats == NULL || (size_t)status >= N_CODES) {
                return;
        }
        metric_observe_us(stats->seconds, duration_us);
        metric_add(total_of(stats, m, status), 1);
}
