/* Endless responses over HTTP/2: a stream that belongs to its owner (upgrade.h), whose flow sends what the owner
 * sends. Allocated in the request's arena. */
#include <string.h>

#include "http/http2.h"

static struct http_upgraded *of_flow(struct http_flow *flow)
{
        return (struct http_upgraded *)(void *)flow;
}

static void empty_buffers(struct http_upgraded *u)
{
        buf_free(&u->out); /* an idle stream has none */
        buf_init(&u->out, HTTP_UPGRADE_UNSENT_MAX_BYTES);
        u->out_at = 0;
        if (u->upgrade->sent != NULL && !u->closing) {
                u->working = true;
                u->upgrade->sent(u->context);
                u->working = false;
        }
}

static ssize_t read_out(struct http_flow *flow, char *into, size_t size, struct http_response *response)
{
        struct http_upgraded *u = of_flow(flow);
        size_t n = http_upgraded_unsent(u) < size ? http_upgraded_unsent(u) : size;
        if (u->out.overflow) {
                return HTTP_FLOW_BROKEN;
        }
        if (n == 0 && !u->closing) {
                return HTTP_FLOW_WAITS;
        }
        if (n > 0) {
                memcpy(into, u->out.data + u->out_at, n);
                u->out_at += n;
                if (u->out_at == u->out.len) {
                        empty_buffers(u);
                } else {
                        http_upgrade_compact(u);
                }
        }
        flow->ended = u->closing && http_upgraded_unsent(u) == 0;
        return (ssize_t)n;
}

static void close_out(struct http_flow *flow)
{
        struct http_upgraded *u = of_flow(flow);
        metric_add(u->stream->loop->server->metrics.in_flight, 1); /* as its exchange will be counted */
        u->upgrade->end(u->context);
        buf_free(&u->out);
}

void http2_upgrade_make(struct http2_stream *s)
{
        struct http_exchange *x = s->exchange;
        struct http_upgraded *u = ARENA_NEW(x->request.arena, struct http_upgraded);
        *u = (struct http_upgraded){.flow = {.read = read_out, .close = close_out},
                                    .stream = s,
                                    .upgrade = x->upgrade,
                                    .context = x->upgrade_context,
                                    .connection = s->http2->connection,
                                    .due_us = INT64_MAX};
        buf_init(&u->out, HTTP_UPGRADE_UNSENT_MAX_BYTES);
        x->upgrade = NULL;
        x->flow = &u->flow;
        s->upgraded = u;
        metric_add(x->server->metrics.in_flight, -1);
}

void http2_upgrade_begin(struct http2_stream *s)
{
        struct http_upgraded *u = s->upgraded;
        u->upgrade->begin(u->context, u);
        http_deadline_set(u->connection, u->connection->loop->now_us); /* checks when the stream is due */
        if (u->connection->loop->told_stopping) {
                u->upgrade->stop(u->context);
        }
}

void http2_upgrade_due(struct http2_stream *s, int64_t now_us)
{
        struct http_upgraded *u = s->upgraded;
        if (now_us < u->due_us) {
                return;
        }
        u->due_us = INT64_MAX;
        if (u->closing) { /* the rest is not read */
                (void)nghttp2_submit_rst_stream(s->http2->session, NGHTTP2_FLAG_NONE, s->id, NGHTTP2_CANCEL);
        } else {
                u->upgrade->due(u->context, now_us);
        }
}

void http2_upgrade_stop(struct http2 *h)
{
        for (struct http2_stream *s = h->first; s != NULL; s = s->next) {
                if (s->upgraded != NULL) {
                        s->upgraded->upgrade->stop(s->upgraded->context);
                }
        }
}
