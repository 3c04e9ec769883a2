/* Bodies going into a sink: their size and rate. */
#include "http/http2.h"

#include "base/clock.h"

static int64_t stall_us(const struct http_exchange *x)
{
        return (int64_t)x->request.sink->stall_ms * 1000;
}

/* Each byte extends the deadline at the slowest rate, up to stall_ms. */
static void buy_time(struct http_exchange *x, size_t bytes)
{
        int64_t due_us = x->sink_due_us + (int64_t)bytes * 1000000 / HTTP_SINK_BYTES_PER_SECOND;
        int64_t latest_us = x->connection->loop->now_us + stall_us(x);
        x->sink_due_us = due_us < latest_us ? due_us : latest_us;
}

static void pause_if_full(struct http_exchange *x)
{
        struct http_loop *loop = x->connection->loop;
        if (x->paused || x->request.sink->is_full == NULL) {
                return;
        }
        atomic_store(&loop->pauses, true); /* before the notification that it is no longer full */
        if (!x->request.sink->is_full(&x->request)) {
                return;
        }
        x->paused = true;
        x->paused_next = loop->paused;
        x->paused_at = &loop->paused;
        if (x->paused_next != NULL) {
                x->paused_next->paused_at = &x->paused_next;
        }
        loop->paused = x;
}

void http_sink_begin(struct http_exchange *x, uint64_t max_body)
{
        x->max_body = max_body;
        x->sink_due_us = clock_monotonic_us() + stall_us(x);
        pause_if_full(x);
}

/* Whether it is still full or not: the client was not asked for more in the meantime. */
void http_sink_resume(struct http_exchange *x)
{
        if (!x->paused) {
                return;
        }
        x->paused = false;
        *x->paused_at = x->paused_next;
        if (x->paused_next != NULL) {
                x->paused_next->paused_at = x->paused_at;
        }
        x->sink_due_us = clock_monotonic_us() + stall_us(x);
        if (x->stream != NULL && x->stream->open && x->owed > 0) {
                (void)nghttp2_session_consume_stream(x->stream->http2->session, x->stream->id, x->owed);
        }
        x->owed = 0;
}

void http_sinks_resume(struct http_loop *loop)
{
        if (!atomic_exchange(&loop->room, false)) {
                return;
        }
        for (struct http_exchange *x = loop->paused, *next; x != NULL; x = next) {
                next = x->paused_next;
                if (!x->request.sink->is_full(&x->request)) {
                        http_sink_resume(x);
                        x->resumed = true;
                        if (x->stream != NULL) {
                                http2_request_go_on(x->stream);
                        }
                        if (!x->connection->ready) {
                                http_loop_add_ready(loop, x->connection);
                        }
                }
        }
        atomic_store(&loop->pauses, loop->paused != NULL);
}

void http_sinks_have_room(struct http_server *server)
{
        for (int i = 0; i < server->n_loops; i++) {
                if (atomic_load(&server->loops[i].pauses)) {
                        atomic_store(&server->loops[i].room, true);
                        http_loop_wake(&server->loops[i]);
                }
        }
}

static void count_bytes(struct http_exchange *x, size_t bytes, struct http_response *early)
{
        x->received += bytes;
        buy_time(x, bytes);
        buf_init(&early->body, HTTP_REFUSAL_BYTES);
}

static enum http_sink_result taken(struct http_exchange *x, bool took, struct http_response *early)
{
        if (!took) {
                return HTTP_SINK_REFUSED;
        }
        buf_free(&early->body);
        pause_if_full(x);
        return HTTP_SINK_TOOK;
}

enum http_sink_result http_sink_take(struct http_exchange *x, struct str piece, struct http_response *early)
{
        if (piece.len > x->max_body - x->received) {
                return HTTP_SINK_TOO_LARGE;
        }
        if (piece.len == 0) {
                return HTTP_SINK_TOOK;
        }
        count_bytes(x, piece.len, early);
        return taken(x, x->request.sink->take(&x->request, piece, early), early);
}

int http_sink_areas(struct http_exchange *x, struct iovec *areas, int n)
{
        return x->request.sink->areas != NULL ? x->request.sink->areas(&x->request, areas, n) : 0;
}

enum http_sink_result http_sink_received(struct http_exchange *x, size_t bytes, struct http_response *early)
{
        count_bytes(x, bytes, early);
        return taken(x, x->request.sink->received(&x->request, bytes, early), early);
}

bool http_sink_goes_on(struct http_exchange *x, struct http_response *early)
{
        x->resumed = false;
        buf_init(&early->body, HTTP_REFUSAL_BYTES);
        bool goes_on = x->request.sink->take(&x->request, STR(""), early);
        if (goes_on) {
                buf_free(&early->body);
        }
        return goes_on;
}

int64_t http_sink_due(const struct http_exchange *x)
{
        return x->paused ? clock_monotonic_us() + stall_us(x) : x->sink_due_us;
}

bool http_sink_keeps_part(const struct http_exchange *x)
{
        return x != NULL && x->request.sink != NULL && x->request.sink->keeps_part && !x->request.is_part;
}
