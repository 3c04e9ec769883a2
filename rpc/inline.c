/* Which requests are tried on I/O threads, and what remains of an attempt that failed. */
#include "rpc/inline.h"

#include <string.h>

#include "base/no_wait.h"
#include "rpc/stats.h"

enum {
        CALLS_MAX = 64,   /* in an attempt: a method that makes more is not for an I/O thread */
        WAITS_MAX = 4,    /* in a row; after that only every */
        TRIES_APART = 64, /* th request is an attempt */
};

/* Writes always wait for a COMMIT. A file may already be open; http/fetch.c waits for its bytes. */
static bool may_be_quick(const struct rpc_method *m)
{
        return m->stats != NULL && m->lane == RPC_LANE_GENERAL && m->body == RPC_BODY_MESSAGE &&
               (m->quick || (m->http_verb != NULL && strcmp(m->http_verb, "GET") == 0));
}

bool rpc_inline_is_worth(const struct rpc_method *m)
{
        return may_be_quick(m) &&
               (atomic_load_explicit(&m->stats->waits_in_a_row, memory_order_relaxed) < WAITS_MAX ||
                atomic_fetch_add_explicit(&m->stats->passed_over, 1, memory_order_relaxed) % TRIES_APART == 0);
}

static __thread struct {
        bool on;
        size_t n;
        struct {
                const struct rpc_method *method;
                sn_status status;
                int64_t duration_us;
        } calls[CALLS_MAX];
} made; /* during this thread's attempt */

bool rpc_inline_count(const struct rpc_method *m, sn_status status, int64_t duration_us)
{
        if (!made.on) {
                return false;
        }
        if (made.n == CALLS_MAX) {
                (void)no_wait_refuses();
                return true;
        }
        made.calls[made.n].method = m;
        made.calls[made.n].status = status;
        made.calls[made.n++].duration_us = duration_us;
        return true;
}

static void count_calls(void)
{
        for (size_t i = 0; i < made.n; i++) {
                rpc_stats_count(made.calls[i].method, made.calls[i].status, made.calls[i].duration_us);
        }
}

struct rpc_inline rpc_inline_begin(struct rpc_call *c)
{
        made.on = true;
        made.n = 0;
        no_wait_begin();
        return (struct rpc_inline){c, arena_mark(c->arena)};
}

/* Requests that arrive while a worker loads what the first one lacked count as one. */
static void count_wait(struct rpc_method_stats *stats)
{
        if (!atomic_exchange_explicit(&stats->waits, true, memory_order_relaxed) &&
            atomic_load_explicit(&stats->waits_in_a_row, memory_order_relaxed) < WAITS_MAX) {
                atomic_fetch_add_explicit(&stats->waits_in_a_row, 1, memory_order_relaxed);
        }
}

void rpc_inline_waited(const struct rpc_method *m)
{
        atomic_store_explicit(&m->stats->waits, false, memory_order_relaxed);
}

bool rpc_inline_end(const struct rpc_inline *attempt, bool success)
{
        struct rpc_call *c = attempt->call;
        struct rpc_method_stats *stats = c->method->stats;

        made.on = false;
        if (!no_wait_end()) {
                count_calls();
                atomic_fetch_add_explicit(&stats->inline_answers, 1, memory_order_relaxed);
                if (success && atomic_load_explicit(&stats->waits_in_a_row, memory_order_relaxed) > 0) {
                        atomic_store_explicit(&stats->waits_in_a_row, 0, memory_order_relaxed);
                }
                return true;
        }
        count_wait(stats);
        rpc_call_drop_file(c);
        c->problem = (struct rpc_problem){0};
        arena_reset(c->arena, attempt->mark);
        return false;
}
