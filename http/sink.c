/* Bodies on their way into a sink: how much they are, and how fast. */
#include "http/internal.h"

#include "base/clock.h"

void http_sink_begin(struct http_exchange *x, uint64_t max_body)
{
        x->max_body = max_body;
        x->received_us = clock_monotonic_us();
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
        x->received_us = x->connection->loop->now_us;
        buf_init(&early->body, HTTP_REFUSAL_BYTES);
        if (!x->request.sink->take(&x->request, piece, early)) {
                return HTTP_SINK_REFUSED;
        }
        buf_free(&early->body);
        return HTTP_SINK_TOOK;
}

/* Each byte buys its time at the slowest rate, and nobody may save up more than stall_ms of it. */
int64_t http_sink_due(const struct http_exchange *x)
{
        int64_t stall_us = (int64_t)x->request.sink->stall_ms * 1000;
        int64_t by_rate_us =
            x->request.started_us + stall_us + (int64_t)(x->received / HTTP_SINK_BYTES_PER_SECOND) * 1000000;
        int64_t by_stall_us = x->received_us + stall_us;
        return by_rate_us < by_stall_us ? by_rate_us : by_stall_us;
}

bool http_sink_keeps_part(const struct http_exchange *x)
{
        return x != NULL && x->request.sink != NULL && x->request.sink->keeps_part && !x->request.is_part;
}
