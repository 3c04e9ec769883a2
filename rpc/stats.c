/* Counts responses in the counters of the method's contract, and renders them. */
#include "rpc/stats.h"

#include <stdatomic.h>
#include <stdio.h>

#include "rpc/rpc.h"

void rpc_stats_count(const struct rpc_method *m, sn_status status, int64_t duration_us)
{
        if (m->stats == NULL || (size_t)status >= SN_STATUS_COUNT) {
                return;
        }
        metric_buckets_observe_us(&m->stats->seconds, duration_us);
        atomic_fetch_add_explicit(&m->stats->answers[status], 1, memory_order_relaxed);
}

static void render_seconds(const struct rpc_method *m, struct buf *out)
{
        char labels[256];
        snprintf(labels, sizeof(labels), "method=\"%s\"", m->full_name + 1);
        metric_buckets_render(&m->stats->seconds, "sonet_rpc_seconds", labels, out);
}

static void render_answers(const struct rpc_method *m, struct buf *out)
{
        for (sn_status status = SN_OK; status < SN_STATUS_COUNT; status++) {
                int64_t answers = atomic_load_explicit(&m->stats->answers[status], memory_order_relaxed);
                if (answers > 0) {
                        buf_printf(out, "sonet_rpc_total{method=\"%s\",code=\"%s\"} ", m->full_name + 1,
                                   sn_status_name(status));
                        buf_append_i64(out, answers);
                        buf_append_char(out, '\n');
                }
        }
}

static void render_methods(void (*render)(const struct rpc_method *m, struct buf *out), struct buf *out)
{
        const struct rpc_service *const *contracts;
        size_t n = contract_services(&contracts);
        for (size_t i = 0; i < n; i++) {
                for (size_t k = 0; k < contracts[i]->n_methods && rpc_local_service(contracts[i]->name) != NULL; k++) {
                        render(&contracts[i]->methods[k], out);
                }
        }
}

static void render_inline(const struct rpc_method *m, struct buf *out)
{
        int64_t answers = atomic_load_explicit(&m->stats->inline_answers, memory_order_relaxed);
        if (answers > 0) {
                buf_printf(out, "sonet_rpc_inline_total{method=\"%s\"} ", m->full_name + 1);
                buf_append_i64(out, answers);
                buf_append_char(out, '\n');
        }
}

void rpc_stats_render(struct buf *out)
{
        buf_append_c(out,
                     "# HELP sonet_rpc_seconds Time from dispatch to response.\n# TYPE sonet_rpc_seconds histogram\n");
        render_methods(render_seconds, out);
        buf_append_c(out, "# HELP sonet_rpc_total Responses by method and status.\n# TYPE sonet_rpc_total counter\n");
        render_methods(render_answers, out);
        buf_append_c(out, "# HELP sonet_rpc_inline_total Requests handled on the I/O thread that read them.\n# TYPE "
                          "sonet_rpc_inline_total counter\n");
        render_methods(render_inline, out);
}
