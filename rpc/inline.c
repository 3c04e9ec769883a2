/* Which requests are tried on I/O threads, and what is left of an attempt that failed. */
#include "rpc/inline.h"

#include <string.h>

#include "base/no_wait.h"

enum {
        WAITS_MAX = 4,    /* in a row; then only each */
        TRIES_APART = 64, /* th request is an attempt */
};

/* Writes always wait for a COMMIT; so does whoever asks for a file, for its bytes. */
static bool may_be_quick(const struct rpc_method *m)
{
        return m->stats != NULL && m->lane == RPC_LANE_GENERAL && m->body == RPC_BODY_MESSAGE && !m->answers_file &&
               m->http_verb != NULL && strcmp(m->http_verb, "GET") == 0;
}

bool rpc_inline_is_worth(const struct rpc_method *m)
{
        return may_be_quick(m) &&
               (atomic_load_explicit(&m->stats->waits_in_a_row, memory_order_relaxed) < WAITS_MAX ||
                atomic_fetch_add_explicit(&m->stats->passed_over, 1, memory_order_relaxed) % TRIES_APART == 0);
}

struct rpc_inline rpc_inline_begin(struct rpc_call *c)
{
        no_wait_begin();
        return (struct rpc_inline){c, arena_mark(c->arena)};
}

bool rpc_inline_end(const struct rpc_inline *attempt)
{
        struct rpc_call *c = attempt->call;
        struct rpc_method_stats *stats = c->method->stats;

        if (!no_wait_end()) {
                atomic_fetch_add_explicit(&stats->inline_answers, 1, memory_order_relaxed);
                if (atomic_load_explicit(&stats->waits_in_a_row, memory_order_relaxed) > 0) {
                        atomic_store_explicit(&stats->waits_in_a_row, 0, memory_order_relaxed);
                }
                return true;
        }
        if (atomic_load_explicit(&stats->waits_in_a_row, memory_order_relaxed) < WAITS_MAX) {
                atomic_fetch_add_explicit(&stats->waits_in_a_row, 1, memory_order_relaxed);
        }
        rpc_call_drop_file(c);
        c->problem = (struct rpc_problem){0};
        arena_reset(c->arena, attempt->mark);
        return false;
}
