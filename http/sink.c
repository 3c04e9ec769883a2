/* Bodies on their way into a sink: how much they are, and how fast. */
#include "http/internal.h"

#include "base/clock.h"

static int64_t stall_us(const struct http_exchange *x)
{
        return (int64_t)x->request.sink->stall_ms * 1000;
}

void http_sink_begin(struct http_exchange *x, uint64_t max_body)
{
        x->max_body = max_body;
        x->sink_due_us = clock_monotonic_us() + stall_us(x);
}

/* Each byte buys its time at the slowest rate, and nobody saves up more than stall_ms of it. */
static void buy_time(struct http_exchange *x, size_t bytes)
{
        int64_t due_us = x->sink_due_us + (int64_t)bytes * 1000000 / HTTP_SINK_BYTES_PER_SECOND;
        int64_t latest_us = x->connection->loop->now_us + stall_us(x);
        x->sink_due_us = due_us < latest_us ? due_us : latest_us;
}

enum http_sink_result http_sink_take(struct http_exchange *x, struct str piece, struct http_response *early)
{
        if (piece.len > x->max_body - x->received) {
                return HTTP_SINK_TOO_LARGE;
        }
        if (piece.len == 0) {
                return HTTP_SINK_TOOK;
        }
        x->received += piece.len;
        buy_time(x, piece.len);
        buf_init(&early->body, HTTP_REFUSAL_BYTES);
        if (!x->request.sink->take(&x->request, piece, early)) {
                return HTTP_SINK_REFUSED;
        }
        buf_free(&early->body);
        return HTTP_SINK_TOOK;
}

int64_t http_sink_due(const struct http_exchange *x)
{
        return x->sink_due_us;
}

bool http_sink_keeps_part(const struct http_exchange *x)
{
        return x != NULL && x->request.sink != NULL && x->request.sink->keeps_part && !x->request.is_part;
}
