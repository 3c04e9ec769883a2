/* The nghttp2 session: its settings and limits, and its callbacks for received frames. */
#include "http/http2.h"

#include <pthread.h>
#include <stdlib.h>
#include <string.h>

enum {
        UNITS_FOR_AN_ANSWER = 10,
        UNITS_FOR_A_FRAME = 2, /* of a response: the client may send a WINDOW_UPDATE for it */
        WINDOW_OF_CONNECTION = 1 << 20,
};

/* --- callbacks --- */

static struct http2_stream *stream_of(nghttp2_session *session, int32_t id)
{
        return nghttp2_session_get_stream_user_data(session, id);
}

static int on_begin_frame(nghttp2_session *session, const nghttp2_frame_hd *frame, void *user)
{
        http2_spend(user, frame);
        return 0;
}

static int refuse_stream(nghttp2_session *session, int32_t id, uint32_t code)
{
        return nghttp2_submit_rst_stream(session, NGHTTP2_FLAG_NONE, id, code) == 0 ? 0 : NGHTTP2_ERR_CALLBACK_FAILURE;
}

/* Held streams count even if the client has reset them: their number limits the work in the queues. */
static int on_begin_headers(nghttp2_session *session, const nghttp2_frame *frame, void *user)
{
        struct http2 *h = user;
        if (frame->hd.type != NGHTTP2_HEADERS || frame->headers.cat != NGHTTP2_HCAT_REQUEST) {
                return 0; /* trailers */
        }
        if (h->closing || h->n_held >= h->connection->loop->server->options.max_streams) {
                return refuse_stream(session, frame->hd.stream_id, NGHTTP2_REFUSED_STREAM);
        }
        struct http2_stream *s = http2_stream_new(h, frame->hd.stream_id);
        if (s == NULL) {
                return refuse_stream(session, frame->hd.stream_id, NGHTTP2_INTERNAL_ERROR);
        }
        return nghttp2_session_set_stream_user_data(session, s->id, s) == 0 ? 0 : NGHTTP2_ERR_CALLBACK_FAILURE;
}

static int on_header(nghttp2_session *session, const nghttp2_frame *frame, const uint8_t *name, size_t name_len,
                     const uint8_t *value, size_t value_len, uint8_t flags, void *user)
{
        struct http2_stream *s = stream_of(session, frame->hd.stream_id);
        if (s != NULL) {
                http2_request_field(s, (struct str){(const char *)name, name_len},
                                    (struct str){(const char *)value, value_len});
        }
        return 0;
}

/* RFC 9113, 8.2.1: a request with such a header is malformed. */
static int on_invalid_header(nghttp2_session *session, const nghttp2_frame *frame, const uint8_t *name, size_t name_len,
                             const uint8_t *value, size_t value_len, uint8_t flags, void *user)
{
        return NGHTTP2_ERR_TEMPORAL_CALLBACK_FAILURE;
}

static int on_frame_recv(nghttp2_session *session, const nghttp2_frame *frame, void *user)
{
        bool last = (frame->hd.flags & NGHTTP2_FLAG_END_STREAM) != 0;
        if (frame->hd.type != NGHTTP2_HEADERS && frame->hd.type != NGHTTP2_DATA) {
                return 0;
        }
        struct http2_stream *s = stream_of(session, frame->hd.stream_id);
        if (s == NULL) {
                return 0;
        }
        if (frame->hd.type == NGHTTP2_HEADERS && frame->headers.cat == NGHTTP2_HCAT_REQUEST) {
                http2_request_head(s, last);
        } else if (last) {
                http2_request_end(s);
        }
        return 0;
}

static int on_data_chunk(nghttp2_session *session, uint8_t flags, int32_t id, const uint8_t *bytes, size_t len,
                         void *user)
{
        struct http2_stream *s = stream_of(session, id);
        (void)nghttp2_session_consume_connection(session, len); /* a slow reader does not hold up other streams */
        if (s != NULL) {
                http2_request_body(s, (struct str){(const char *)bytes, len});
        }
        return 0;
}

/* RFC 9113, 8.1: after responding without reading the whole request, say so once the response has been sent. */
static int on_frame_send(nghttp2_session *session, const nghttp2_frame *frame, void *user)
{
        bool of_stream = frame->hd.type == NGHTTP2_HEADERS || frame->hd.type == NGHTTP2_DATA;
        struct http2_stream *s = of_stream ? stream_of(session, frame->hd.stream_id) : NULL;
        if (s == NULL) {
                return 0;
        }
        http2_earn(user, UNITS_FOR_A_FRAME);
        if ((frame->hd.flags & NGHTTP2_FLAG_END_STREAM) == 0) {
                return 0;
        }
        http2_earn(user, s->refused == 0 ? UNITS_FOR_AN_ANSWER : 0);
        return s->complete ? 0 : refuse_stream(session, s->id, NGHTTP2_NO_ERROR);
}

static int on_stream_close(nghttp2_session *session, int32_t id, uint32_t code, void *user)
{
        struct http2_stream *s = stream_of(session, id);
        if (s != NULL) {
                http2_stream_end(s);
        }
        return 0;
}

/* --- setup --- */

static nghttp2_session_callbacks *callbacks;
static nghttp2_option *option;

/* Our own allowance is stricter than nghttp2's for resets, and reports ENHANCE_YOUR_CALM. */
static void make_once(void)
{
        if (nghttp2_session_callbacks_new(&callbacks) != 0 || nghttp2_option_new(&option) != 0) {
                abort();
        }
        nghttp2_session_callbacks_set_on_begin_frame_callback(callbacks, on_begin_frame);
        nghttp2_session_callbacks_set_on_begin_headers_callback(callbacks, on_begin_headers);
        nghttp2_session_callbacks_set_on_header_callback(callbacks, on_header);
        nghttp2_session_callbacks_set_on_invalid_header_callback(callbacks, on_invalid_header);
        nghttp2_session_callbacks_set_on_frame_recv_callback(callbacks, on_frame_recv);
        nghttp2_session_callbacks_set_on_data_chunk_recv_callback(callbacks, on_data_chunk);
        nghttp2_session_callbacks_set_on_frame_send_callback(callbacks, on_frame_send);
        nghttp2_session_callbacks_set_on_stream_close_callback(callbacks, on_stream_close);
        nghttp2_option_set_no_closed_streams(option, 1);
        nghttp2_option_set_no_auto_window_update(option, 1); /* a flow decides when more may arrive (http2_flow.c) */
        nghttp2_option_set_stream_reset_rate_limit(option, 1 << 20, 1 << 20);
}

static bool send_settings(struct http2 *h, const struct http_options *options)
{
        nghttp2_settings_entry settings[] = {
            {NGHTTP2_SETTINGS_MAX_CONCURRENT_STREAMS, (uint32_t)options->max_streams},
            {NGHTTP2_SETTINGS_MAX_HEADER_LIST_SIZE, (uint32_t)options->max_header_bytes},
            {NGHTTP2_SETTINGS_INITIAL_WINDOW_SIZE, (uint32_t)options->window_bytes},
            {NGHTTP2_SETTINGS_NO_RFC7540_PRIORITIES, 1},
        };
        return nghttp2_submit_settings(h->session, NGHTTP2_FLAG_NONE, settings,
                                       sizeof(settings) / sizeof(settings[0])) == 0 &&
               nghttp2_session_set_local_window_size(h->session, NGHTTP2_FLAG_NONE, 0, WINDOW_OF_CONNECTION) == 0;
}

struct http2 *http2_new(struct http_connection *c)
{
        static pthread_once_t once = PTHREAD_ONCE_INIT;
        struct http2 *h = calloc(1, sizeof(*h));
        pthread_once(&once, make_once);
        if (h == NULL) {
                return NULL;
        }
        h->connection = c;
        h->end = &h->first;
        h->progress_us = h->heard_us = c->loop->now_us;
        http2_allowance_init(&h->allowance, c->loop->now_us);
        if (nghttp2_session_server_new2(&h->session, callbacks, h, option) != 0) {
                free(h);
                return NULL;
        }
        if (!send_settings(h, &c->loop->server->options)) {
                nghttp2_session_del(h->session);
                free(h);
                return NULL;
        }
        return h;
}

/* The session drops its streams without callbacks. */
void http2_free(struct http2 *h)
{
        while (h->first != NULL) {
                http2_stream_end(h->first);
        }
        for (struct http2_stream *s = h->connection->loop->held; h->n_held > 0 && s != NULL; s = s->held_next) {
                if (s->http2 == h) {
                        s->http2 = NULL;
                        h->n_held--;
                }
        }
        nghttp2_session_del(h->session);
        buf_free(&h->out);
        if (h->out_counted) {
                atomic_fetch_sub(&h->connection->loop->server->busy, 1);
        }
        free(h);
}

void http2_close(struct http2 *h, uint32_t code)
{
        int32_t last = nghttp2_session_get_last_proc_stream_id(h->session);
        if (code != NGHTTP2_NO_ERROR) {
                nghttp2_session_terminate_session2(h->session, last, code);
        } else if (!h->closing) {
                nghttp2_submit_goaway(h->session, NGHTTP2_FLAG_NONE, last, code, NULL, 0);
        }
        h->closing = true;
}

/* Errors that nghttp2 cannot continue after. A protocol error is not one: nghttp2 sends a GOAWAY for it. */
void http2_take(struct http2 *h, const char *bytes, size_t len)
{
        ssize_t n = nghttp2_session_mem_recv(h->session, (const uint8_t *)bytes, len);
        if (n == NGHTTP2_ERR_FLOODED || n == NGHTTP2_ERR_TOO_MANY_CONTINUATIONS) {
                http2_calm(h);
        } else if (n < 0) {
                http2_close(h, n == NGHTTP2_ERR_NOMEM || n == NGHTTP2_ERR_CALLBACK_FAILURE ? NGHTTP2_INTERNAL_ERROR
                                                                                           : NGHTTP2_PROTOCOL_ERROR);
        }
}
