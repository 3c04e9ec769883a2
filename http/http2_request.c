/* Assembles requests from the session's callbacks, with the same limits and rejections as over HTTP/1.1. nghttp2 has
 * already rejected what RFC 9113 calls malformed (8.1.1). */
#include "http/http2.h"

#include <string.h>

enum {
        HEAD_BYTES_FACTOR = 8,  /* a head larger than the limit by this factor ends the connection */
        SMALL_BYTES = 256,      /* a DATA frame of a long body that is no smaller refunds its cost, */
        BYTES_OF_A_UNIT = 8192, /* and so does this much of a body in smaller ones */
};

/* --- streams --- */

static void link_open(struct http2 *h, struct http2_stream *s)
{
        s->open = true;
        s->at = h->end;
        *h->end = s;
        h->end = &s->next;
        h->n_open++;
}

static void unlink_open(struct http2 *h, struct http2_stream *s)
{
        s->open = false;
        *s->at = s->next;
        if (s->next != NULL) {
                s->next->at = s->at;
        } else {
                h->end = s->at;
        }
        h->n_open--;
}

struct http2_stream *http2_stream_new(struct http2 *h, int32_t id)
{
        struct http_connection *c = h->connection;
        struct http_exchange *x = http_exchange_new(c);
        if (x == NULL) {
                return NULL;
        }
        struct http2_stream *s = ARENA_NEW(x->request.arena, struct http2_stream);
        s->exchange = x;
        s->http2 = h;
        s->loop = c->loop;
        s->id = id;
        s->length = UINT64_MAX;
        s->begun_us = c->loop->now_us;
        s->fields = ARENA_ARRAY(x->request.arena, struct http_header, HTTP_MAX_HEADERS);
        x->stream = s;
        x->request.peer = arena_strdup(x->request.arena, c->peer); /* the connection may end before the request */
        if (c->certificate != NULL) {
                x->request.certificate = arena_strdup(x->request.arena, c->certificate);
        }
        link_open(h, s);
        http_deadline_set(c, c->loop->now_us + (int64_t)c->loop->server->options.slow_client_ms * 1000);
        return s;
}

void http2_stream_end(struct http2_stream *s)
{
        struct http2 *h = s->http2;
        struct http_exchange *x = s->exchange;
        unlink_open(h, s);
        h->connection->active_us = h->connection->loop->now_us;
        if (s->answering && x->flow == NULL) {
                h->unsent -= x->answer_len - x->sent;
        }
        if (atomic_load(&s->owner) != HTTP_OWNER_IO) {
                return;
        }
        if (!s->complete && !s->answering && http_sink_keeps_part(x)) {
                http2_request_hand_over_part(s);
        } else {
                http_exchange_end(x);
        }
}

/* --- the head --- */

static void refuse_request(struct http2_stream *s, int status, const char *detail)
{
        if (s->refused == 0) {
                s->refused = status;
                s->refusal = detail;
        }
}

static struct str keep_text(struct http2_stream *s, struct str text)
{
        return (struct str){str_dup(s->exchange->request.arena, text), text.len};
}

static void take_pseudo(struct http2_stream *s, struct str name, struct str value)
{
        if (str_equal_c(name, ":method")) {
                s->method = keep_text(s, value);
        } else if (str_equal_c(name, ":path")) {
                s->path = keep_text(s, value);
        } else if (str_equal_c(name, ":authority")) {
                s->authority = keep_text(s, value);
        }
}

static void take_special(struct http2_stream *s, struct str name, struct str value)
{
        if (str_equal_c(name, "host")) {
                s->has_host = true;
                if (!http_is_authority(value)) {
                        refuse_request(s, 400, "The Host header is malformed.");
                }
        } else if (str_equal_c(name, "content-length")) {
                (void)http_parse_length(value, &s->length);
        } else if (str_equal_c(name, "expect")) {
                s->expects = true;
                if (!str_equal_nocase(value, STR("100-continue"))) {
                        refuse_request(s, 417, "The only supported expectation is 100-continue.");
                }
        }
}

static void add_field(struct http2_stream *s, struct str name, struct str value)
{
        s->fields[s->n_fields++] = (struct http_header){keep_text(s, name).ptr, keep_text(s, value).ptr};
}

/* RFC 9113, 6.5.2: each field counts with 32 extra bytes. */
void http2_request_field(struct http2_stream *s, struct str name, struct str value)
{
        const size_t max = s->http2->connection->loop->server->options.max_header_bytes;
        s->head_bytes += name.len + value.len + 32;
        if (s->head_bytes > max * HEAD_BYTES_FACTOR) {
                http2_calm(s->http2);
        } else if (s->refused == 431 || s->refused == 414) {
                return; /* of a head that is too large */
        } else if (s->head_complete) {
                /* Not if a worker has what arrived of a stalled body: then request and arena belong to the worker. */
                if (s->head_bytes <= max && !s->answering && !s->exchange->request.is_part) {
                        http_trailers_add(s->exchange, name, value);
                }
        } else if (s->head_bytes > max) {
                refuse_request(s, str_equal_c(name, ":path") ? 414 : 431,
                               str_equal_c(name, ":path") ? "The request target is too long."
                                                          : "The request's headers are too large.");
        } else if (name.ptr[0] == ':') {
                take_pseudo(s, name, value);
        } else if (s->n_fields == HTTP_MAX_HEADERS) {
                refuse_request(s, 431, "The request has too many headers.");
        } else {
                take_special(s, name, value);
                add_field(s, name, value);
        }
}

/* RFC 9113, 8.3.1: makes the authority available as the Host header, as with HTTP/1.1. */
static void take_authority(struct http2_stream *s)
{
        if (!http_is_authority(s->authority)) {
                refuse_request(s, 400, "The :authority is malformed.");
        } else if (!s->has_host && s->authority.len > 0 && s->n_fields < HTTP_MAX_HEADERS) {
                add_field(s, STR("host"), s->authority);
        }
}

static void fill_body(struct http2_stream *s)
{
        struct http_exchange *x = s->exchange;
        struct http_request *r = &x->request;
        struct str path, query;
        take_authority(s);
        r->method = s->method.ptr != NULL ? s->method.ptr : "";
        r->headers = s->fields;
        r->n_headers = s->n_fields;
        r->http_2 = true;
        r->has_body = !s->complete;
        x->is_head = strcmp(r->method, "HEAD") == 0;
        if (s->path.ptr != NULL && http_split_target(s->path, str_equal_c(s->method, "OPTIONS"), &path, &query)) {
                r->query = query;
                r->path = path.len == 0 ? "/" : str_dup(r->arena, path);
        } else {
                refuse_request(s, 400, "The :path is malformed.");
        }
}

/* --- handing over --- */

static void hold_stream(struct http2_stream *s)
{
        struct http_loop *loop = s->http2->connection->loop;
        s->held_next = loop->held;
        s->held_at = &loop->held;
        if (s->held_next != NULL) {
                s->held_next->held_at = &s->held_next;
        }
        loop->held = s;
        s->http2->n_held++;
        http_exchange_count(s->exchange);
        atomic_store(&s->owner, HTTP_OWNER_HELD);
}

static void hand_over(struct http2_stream *s)
{
        struct http_exchange *x = s->exchange;
        struct http_server *server = x->server;
        struct http_response early = {0};
        http_sink_resume(x);
        s->waiting = false;
        if (atomic_load(&server->stopping)) {
                http2_request_refuse(s, 503, "The server is shutting down.");
                return;
        }
        if (x->body.data != NULL) {
                x->request.body = (struct str){x->body.data, x->body.len};
        }
        buf_init(&early.body, HTTP_REFUSAL_BYTES);
        hold_stream(s);
        if (server->handlers.on_request(server->handlers.context, &x->request, &early)) {
                buf_free(&early.body);
        } else {
                http2_answer(s, &early);
        }
}

/* If the client does not read its responses, no more of them are produced. */
static void begin_or_wait(struct http2_stream *s)
{
        s->waiting = s->http2->unsent >= HTTP2_UNSENT_BYTES;
        if (!s->waiting) {
                hand_over(s);
        }
}

void http2_begin_waiting(struct http2 *h)
{
        for (struct http2_stream *s = h->first, *next; s != NULL && h->unsent < HTTP2_UNSENT_BYTES; s = next) {
                next = s->next;
                if (s->waiting) {
                        hand_over(s);
                }
        }
}

void http2_request_refuse(struct http2_stream *s, int status, const char *detail)
{
        struct http_response response;
        s->refused = status;
        http_refusal(s->exchange->server, &s->exchange->request, status, detail, &response);
        http2_answer(s, &response);
}

/* For a client that waits for it. */
static void say_continue(struct http2_stream *s)
{
        nghttp2_nv status = {(uint8_t *)":status", (uint8_t *)"100", 7, 3, NGHTTP2_NV_FLAG_NONE};
        if (!s->expects) {
                return;
        }
        s->expects = false;
        (void)nghttp2_submit_headers(s->http2->session, NGHTTP2_FLAG_NONE, s->id, NULL, &status, 1, NULL);
}

static void ask_owner(struct http2_stream *s)
{
        struct http_exchange *x = s->exchange;
        const struct http_handlers *handlers = &x->server->handlers;
        struct http_response early = {0};
        size_t max_body = HTTP_DEFAULT_MAX_BODY;
        buf_init(&early.body, HTTP_REFUSAL_BYTES);
        if (!handlers->on_headers(handlers->context, &x->request, &max_body, &early)) {
                http2_answer(s, &early);
                if (s->complete) {
                        http2_flow_take(s, STR(""), true);
                }
                return;
        }
        buf_free(&early.body);
        if (s->length != UINT64_MAX && s->length > max_body && !s->complete) {
                http2_request_refuse(s, 413, "The body is larger than this endpoint accepts.");
        } else if (s->complete) {
                begin_or_wait(s);
        } else {
                if (x->request.sink != NULL) {
                        http_sink_begin(x, max_body);
                        http_deadline_set(s->http2->connection, http_sink_due(x));
                } else {
                        buf_init(&x->body, max_body);
                }
                if (!x->paused) {
                        say_continue(s);
                }
        }
}

/* A complete body is checked when it is handed over. */
void http2_request_go_on(struct http2_stream *s)
{
        struct http_response early = {0};
        if (s->complete || s->answering) {
                s->exchange->resumed = false;
                return;
        }
        if (http_sink_goes_on(s->exchange, &early)) {
                say_continue(s);
        } else {
                s->refused = early.status;
                http2_answer(s, &early);
        }
}

void http2_request_head(struct http2_stream *s, bool last)
{
        s->head_complete = true;
        s->complete = last;
        fill_body(s);
        if (s->refused != 0) {
                http2_request_refuse(s, s->refused, s->refusal);
        } else {
                ask_owner(s);
        }
}

/* --- the body --- */

/* What arrives after a truncated body was handed over is dropped. */
static void give_to_sink(struct http2_stream *s, struct str piece)
{
        struct http_response early = {0};
        if (s->exchange->request.is_part) {
                return;
        }
        http2_earn(s->http2, (piece.len >= SMALL_BYTES) +
                                 (int)((s->exchange->received % BYTES_OF_A_UNIT + piece.len) / BYTES_OF_A_UNIT));
        switch (http_sink_take(s->exchange, piece, &early)) {
        case HTTP_SINK_TOOK:
                return;
        case HTTP_SINK_TOO_LARGE:
                http2_request_refuse(s, 413, "The body is larger than this endpoint accepts.");
                return;
        case HTTP_SINK_REFUSED:
                s->refused = early.status;
                http2_answer(s, &early);
                return;
        }
}

void http2_request_hand_over_part(struct http2_stream *s)
{
        s->exchange->request.is_part = true;
        hand_over(s);
}

void http2_request_body(struct http2_stream *s, struct str piece)
{
        struct http_exchange *x = s->exchange;
        if (s->answering) {
                http2_flow_take(s, piece, false);
                return;
        }
        if (x->request.sink != NULL) {
                give_to_sink(s, piece);
        }
        if (x->paused) {
                x->owed += piece.len;
        } else {
                (void)nghttp2_session_consume_stream(s->http2->session, s->id, piece.len);
        }
        if (x->request.sink != NULL) {
                return;
        }
        buf_append(&x->body, piece.ptr, piece.len);
        if (x->body.overflow) {
                http2_request_refuse(s, 413, "The body is larger than this endpoint accepts.");
        } else if (!http_share_hold_body(x)) {
                http2_request_refuse(s, 503, HTTP_TOO_MANY_BODIES);
        }
}

void http2_request_end(struct http2_stream *s)
{
        s->complete = true;
        if (s->answering) {
                http2_flow_take(s, STR(""), true);
        } else if (s->head_complete && !s->exchange->request.is_part) {
                begin_or_wait(s);
        }
}
