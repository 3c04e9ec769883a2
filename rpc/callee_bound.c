/* The call limit and the circuit breaker of a callee. */
#include "rpc/callee_bound.h"

#include "base/clock.h"
#include "base/ticker.h"

enum { SLOW_US = 1000000 };

void callee_bound_init(struct callee_bound *b, int max_calls, const char *name)
{
        const char *labels = metrics_intern("callee=\"%s\"", name);
        *b = (struct callee_bound){.max = max_calls > 0 ? max_calls : 1};
        pthread_mutex_init(&b->lock, NULL);
        pthread_cond_init(&b->change, NULL);
        b->breaker =
            metric_gauge("sonet_rpc_breaker", "0: closed, 1: open because the callee is not responding.", labels);
        b->refused = metric_counter("sonet_rpc_calls_refused_total",
                                    "Calls not attempted because the callee was not responding.", labels);
}

void callee_bound_end(struct callee_bound *b)
{
        pthread_cond_destroy(&b->change);
        pthread_mutex_destroy(&b->lock);
}

/* Until when it makes sense to wait for a free slot. */
static int64_t patience_us(const struct callee_bound *b, int64_t deadline_us)
{
        int64_t until_us = b->answered_us + (b->failing ? 0 : SLOW_US);
        return until_us < deadline_us ? until_us : deadline_us;
}

static bool wait_for_slot(struct callee_bound *b, int64_t deadline_us)
{
        while (b->busy >= b->max && !atomic_load_explicit(&b->open, memory_order_relaxed)) {
                int64_t until_us = patience_us(b, deadline_us);
                if (clock_monotonic_us() >= until_us || !cond_wait_until(&b->change, &b->lock, until_us)) {
                        if (clock_monotonic_us() >= patience_us(b, deadline_us)) {
                                return false;
                        }
                }
        }
        return !atomic_load_explicit(&b->open, memory_order_relaxed);
}

bool callee_bound_enter(struct callee_bound *b, int64_t deadline_us)
{
        pthread_mutex_lock(&b->lock);
        bool entered = wait_for_slot(b, deadline_us);
        if (entered) {
                b->busy++;
                if (b->busy == 1 || (b->busy == b->max && !b->failing)) {
                        b->answered_us = clock_monotonic_us();
                }
        }
        pthread_mutex_unlock(&b->lock);
        if (!entered) {
                metric_add(b->refused, 1);
        }
        return entered;
}

void callee_bound_leave(struct callee_bound *b, bool answered)
{
        pthread_mutex_lock(&b->lock);
        b->busy--;
        b->failing = !answered;
        if (answered) {
                b->answered_us = clock_monotonic_us();
        }
        pthread_cond_signal(&b->change);
        pthread_mutex_unlock(&b->lock);
}

void callee_bound_set_open(struct callee_bound *b, bool open)
{
        if (atomic_exchange(&b->open, open) != open) {
                metric_set(b->breaker, open);
                pthread_mutex_lock(&b->lock);
                pthread_cond_broadcast(&b->change);
                pthread_mutex_unlock(&b->lock);
        }
}
