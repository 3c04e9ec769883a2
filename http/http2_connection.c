/* An HTTP/2 connection: moving bytes between socket and session, and timeouts. */
#include "http/http2.h"

#include <linux/sockios.h>
#include <string.h>
#include <sys/ioctl.h>

enum {
        ROUNDS_AT_ONCE = 16,      /* of sending, then other connections continue */
        QUEUED_FRAMES_MAX = 1000, /* that the client has not read */
        STALL_FACTOR = 3,         /* how many times the request timeout may pass without anything being read */
        LOOKS_A_LIMIT = 10,       /* how often it is checked within that time */
};

static int64_t slow_us(const struct http_connection *c)
{
        return (int64_t)c->loop->server->options.slow_client_ms * 1000;
}

/* --- start --- */

enum http2_preface http2_preface(const char *bytes, size_t len)
{
        if (memcmp(bytes, NGHTTP2_CLIENT_MAGIC, len < NGHTTP2_CLIENT_MAGIC_LEN ? len : NGHTTP2_CLIENT_MAGIC_LEN) != 0) {
                return HTTP2_PREFACE_NOT;
        }
        return len < NGHTTP2_CLIENT_MAGIC_LEN ? HTTP2_PREFACE_PART : HTTP2_PREFACE;
}

enum http_step http2_start(struct http_connection *c, const char *bytes, size_t len)
{
        c->http2 = http2_new(c);
        if (c->http2 == NULL) {
                return http_connection_end(c);
        }
        c->phase = HTTP_SPEAKING_2;
        c->begun_us = 0;
        c->active_us = c->loop->now_us;
        http_deadline_set(c, http_deadline_idle(c));
        http2_take(c->http2, bytes, len);
        return HTTP_AGAIN;
}

/* --- sending --- */

enum flush { FLUSH_ALL, FLUSH_PART, FLUSH_BLOCKED, FLUSH_BROKEN };

/* Frames, as many as are sent at once. */
static size_t gather_output(struct http2 *h, char *into)
{
        size_t n = 0;
        while (n < HTTP2_SEND_BYTES) {
                const uint8_t *frame;
                ssize_t len = nghttp2_session_mem_send(h->session, &frame);
                if (len <= 0) {
                        break;
                }
                memcpy(into + n, frame, (size_t)len);
                n += (size_t)len;
        }
        return n;
}

/* When stopping, the server waits for what the socket did not accept. */
static void keep_rest(struct http2 *h, const char *bytes, size_t len)
{
        buf_init(&h->out, HTTP2_SEND_BYTES + HTTP2_FRAME_BYTES);
        buf_append(&h->out, bytes, len);
        h->out_at = 0;
        if (!h->out_counted) {
                h->out_counted = true;
                atomic_fetch_add(&h->connection->loop->server->busy, 1);
        }
}

static void forget_rest(struct http2 *h)
{
        buf_free(&h->out);
        h->out_at = 0;
        if (h->out_counted) {
                h->out_counted = false;
                atomic_fetch_sub(&h->connection->loop->server->busy, 1);
        }
}

static enum flush send_rest(struct http2 *h)
{
        struct http_connection *c = h->connection;
        if (h->out.len == 0) {
                return FLUSH_ALL;
        }
        ssize_t n = http_connection_send(c, h->out.data + h->out_at, h->out.len - h->out_at);
        if (n < 0) {
                return FLUSH_BROKEN;
        }
        h->out_at += (size_t)n;
        h->progress_us = n > 0 ? c->loop->now_us : h->progress_us;
        if (h->out_at < h->out.len) {
                return FLUSH_BLOCKED;
        }
        forget_rest(h);
        return FLUSH_ALL;
}

static enum flush flush_output(struct http2 *h)
{
        struct http_connection *c = h->connection;
        enum flush result = send_rest(h);
        for (int i = 0; result == FLUSH_ALL; i++) {
                if (i == ROUNDS_AT_ONCE) {
                        return FLUSH_PART;
                }
                size_t len = gather_output(h, c->loop->frames);
                if (len == 0) {
                        break;
                }
                ssize_t n = http_connection_send(c, c->loop->frames, len);
                if (n < 0) {
                        return FLUSH_BROKEN;
                }
                h->progress_us = n > 0 ? c->loop->now_us : h->progress_us;
                if ((size_t)n < len) {
                        keep_rest(h, c->loop->frames + n, len - (size_t)n);
                        result = FLUSH_BLOCKED;
                }
        }
        return result;
}

/* --- called by the loop --- */

static bool is_over(const struct http2 *h)
{
        return (h->closing && h->first == NULL) ||
               (nghttp2_session_want_read(h->session) == 0 && nghttp2_session_want_write(h->session) == 0);
}

static enum http_step finish_connection(struct http_connection *c)
{
        http2_free(c->http2);
        c->http2 = NULL;
        return http_connection_linger(c);
}

/* A client that does not read a file may still cancel it, open its window, and request other things: it is read
 * regardless of what the socket accepts. Responses in memory wait (http2_begin_waiting), and if too many unread
 * frames are queued, the connection is not read either. */
static bool reads(const struct http2 *h)
{
        return !is_over(h) && nghttp2_session_get_outbound_queue_size(h->session) < QUEUED_FRAMES_MAX;
}

/* False: end of the connection. */
static bool read_some(struct http_connection *c)
{
        struct http2 *h = c->http2;
        ssize_t n = http_connection_receive(c, c->loop->scratch, c->loop->scratch_bytes);
        if (n > 0) {
                h->heard_us = c->loop->now_us;
                h->asked_us = 0;
                http2_take(h, c->loop->scratch, (size_t)n);
        }
        http2_begin_waiting(h);
        return n >= 0;
}

enum http_step http2_work(struct http_connection *c)
{
        struct http2 *h = c->http2;
        enum flush result = flush_output(h);
        if (result != FLUSH_BROKEN && reads(h)) {
                if (!read_some(c)) {
                        return http_connection_end(c);
                }
                result = flush_output(h);
        }
        if (result == FLUSH_BROKEN) {
                return http_connection_end(c);
        }
        if (result == FLUSH_ALL && is_over(h)) {
                return finish_connection(c);
        }
        return result == FLUSH_PART || (c->readable && reads(h)) ? HTTP_AGAIN : HTTP_ENOUGH;
}

void http2_stop(struct http_loop *loop)
{
        for (struct http_connection *c = loop->connections; c != NULL; c = c->next) {
                if (c->http2 != NULL) {
                        http2_close(c->http2, NGHTTP2_NO_ERROR);
                        if (!c->ready) {
                                http_loop_add_ready(loop, c);
                        }
                }
        }
}

/* --- deadlines --- */

static bool is_held(struct http2_stream *s)
{
        return atomic_load(&s->owner) != HTTP_OWNER_IO;
}

static int64_t due_us(const struct http2_stream *s)
{
        const struct http_exchange *x = s->exchange;
        return x->request.sink != NULL ? http_sink_due(x) : s->begun_us + slow_us(s->http2->connection);
}

/* A request that does not arrive completely in time. False: the connection ends with it, since no response can be
 * sent before a head is complete. */
static bool refuse_slow(struct http2 *h, int64_t now_us)
{
        for (struct http2_stream *s = h->first, *next; s != NULL; s = next) {
                next = s->next;
                bool arriving = !s->complete && !s->answering && !is_held(s);
                if (!arriving || now_us < due_us(s)) {
                        continue;
                }
                metric_add(h->connection->loop->server->metrics.slow_clients, 1);
                if (!s->head_complete) {
                        return false;
                }
                if (http_sink_keeps_part(s->exchange)) {
                        http2_request_hand_over_part(s);
                } else {
                        http2_request_refuse(s, 408, "The request did not arrive in time.");
                }
        }
        return true;
}

/* A response that is not read: nothing at all for a while, or this one below the minimum rate. */
static bool takes_answers(const struct http2 *h, int64_t now_us)
{
        bool sends = h->unsent > 0 || h->out.len > 0;
        if (sends && now_us - h->progress_us >= STALL_FACTOR * slow_us(h->connection)) {
                return false;
        }
        for (const struct http2_stream *s = h->first; s != NULL; s = s->next) {
                if (s->answering && s->exchange->flow == NULL && now_us >= s->due_us) {
                        return false;
                }
        }
        return true;
}

/* A client waiting for a response, or with an endless stream, may be silent legitimately: a ping tells whether it is
 * alive. Its time to respond starts when the peer's kernel has acknowledged the ping; if it never does, the kernel
 * ends the connection (unread.c). Without streams, a connection ends when it has been idle, even if it sends pings. */
static bool is_there(struct http2 *h, int64_t now_us)
{
        int waiting = 0;
        if (h->first == NULL) {
                return true;
        }
        if (h->asked_us == 0 && now_us - h->heard_us >= (int64_t)h->connection->loop->server->options.idle_ms * 1000) {
                h->asked_us = now_us;
                return nghttp2_submit_ping(h->session, NGHTTP2_FLAG_NONE, NULL) == 0;
        }
        if (h->asked_us != 0 && ioctl(h->connection->fd, SIOCOUTQ, &waiting) == 0 && waiting > 0) {
                h->asked_us = now_us;
        }
        return h->asked_us == 0 || now_us - h->asked_us < STALL_FACTOR * slow_us(h->connection);
}

void http2_due(struct http_connection *c, int64_t now_us)
{
        struct http2 *h = c->http2;
        if (!takes_answers(h, now_us) || !is_there(h, now_us)) {
                metric_add(c->loop->server->metrics.slow_clients, 1);
                http_connection_end_hard(c);
                return;
        }
        if (!refuse_slow(h, now_us)) {
                http_connection_end(c);
                return;
        }
        int64_t next_us = now_us + slow_us(c) / LOOKS_A_LIMIT;
        for (struct http2_stream *s = h->first; s != NULL; s = s->next) {
                http2_flow_due(s, now_us);
                next_us = s->upgraded != NULL && s->upgraded->due_us < next_us ? s->upgraded->due_us : next_us;
        }
        if (h->first == NULL && h->out.len == 0 && now_us >= http_deadline_idle(c)) {
                http2_close(h, NGHTTP2_NO_ERROR);
        }
        http_deadline_set(c, h->first != NULL || h->out.len > 0 || h->closing ? next_us : http_deadline_idle(c));
        http_connection_work(c);
}
