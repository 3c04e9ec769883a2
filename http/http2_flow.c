/* Responses produced while they are sent (struct http_flow): flow control in both directions, and timeouts. */
#include "http/http2.h"

enum {
        STALL_FACTOR = 3,        /* as for other responses: three times the time that a request may take to arrive, */
        BYTES_PER_SECOND = 4096, /* plus the time of what was read at this rate */
        CREDIT_MAX_US =
            60 * 1000000, /* of which at most this much: a client cannot stall for long after reading quickly */
};

static int64_t latest_us(const struct http2_stream *s)
{
        const struct http_loop *loop = s->http2->connection->loop;
        return loop->now_us + STALL_FACTOR * (int64_t)loop->server->options.slow_client_ms * 1000;
}

static void give_room(struct http2_stream *s)
{
        struct http_flow *flow = s->exchange->flow;
        if (flow->done > 0) {
                (void)nghttp2_session_consume_stream(s->http2->session, s->id, flow->done);
                flow->done = 0;
        }
}

void http2_flow_resume(struct http2_stream *s)
{
        if (s->flow_waits) {
                s->flow_waits = false;
                s->due_us = latest_us(s);
                (void)nghttp2_session_resume_data(s->http2->session, s->id);
        }
}

static void count_sent(struct http2_stream *s, size_t bytes)
{
        int64_t most_us = latest_us(s) + CREDIT_MAX_US;
        s->due_us += (int64_t)bytes * 1000000 / BYTES_PER_SECOND;
        s->due_us = s->due_us < most_us ? s->due_us : most_us;
}

ssize_t http2_flow_read(struct http2_stream *s, char *into, size_t size)
{
        struct http_flow *flow = s->exchange->flow;
        ssize_t n = flow->read(flow, into, size, &s->response);
        give_room(s);
        if (n == HTTP_FLOW_WAITS) {
                s->flow_waits = true;
                s->due_us = INT64_MAX; /* the client is not the slow one */
                return NGHTTP2_ERR_DEFERRED;
        }
        if (n < 0) {
                return NGHTTP2_ERR_TEMPORAL_CALLBACK_FAILURE;
        }
        count_sent(s, (size_t)n);
        return n;
}

void http2_flow_wake(struct http2 *h)
{
        for (struct http2_stream *s = h->first; s != NULL; s = s->next) {
                if (s->exchange->file_watched || s->exchange->fetch == HTTP_FETCH_UNDER_WAY) {
                        http2_flow_resume(s);
                }
        }
}

void http2_flow_take(struct http2_stream *s, struct str piece, bool last)
{
        struct http_flow *flow = s->exchange->flow;
        if (flow == NULL || flow->take == NULL) {
                (void)nghttp2_session_consume_stream(s->http2->session, s->id, piece.len);
                return;
        }
        flow->take(flow, piece, last);
        give_room(s);
        http2_flow_resume(s);
}

void http2_flow_due(struct http2_stream *s, int64_t now_us)
{
        const struct http_flow *flow = s->exchange->flow;
        if (flow == NULL) {
                return;
        }
        if (s->upgraded != NULL) {
                http2_upgrade_due(s, now_us);
        }
        if (s->flow_waits && flow->until_us > 0 && now_us >= flow->until_us) {
                http2_flow_resume(s);
        } else if (now_us >= s->due_us) { /* other streams of the connection may be read in time */
                metric_add(s->loop->server->metrics.slow_clients, 1);
                (void)nghttp2_submit_rst_stream(s->http2->session, NGHTTP2_FLAG_NONE, s->id, NGHTTP2_CANCEL);
        }
}
