/* Reads requests: heads and bodies as they arrive, until one is complete and goes to its owner. */
#include "http/http2.h"

#include <stdlib.h>
#include <string.h>

enum { READ_AHEAD = 4096, AREAS_MAX = 32 };

/* Bytes received but not consumed: in the loop's scratch memory, or kept in the connection. */
struct input {
        struct str bytes;
        bool kept;
};

/* --- input --- */

static void use_input(struct input *in, size_t n)
{
        in->bytes.ptr += n;
        in->bytes.len -= n;
}

/* Makes sure that unconsumed bytes outlive the scratch memory, and that an idle connection holds none. */
static void keep_input(struct http_connection *c, const struct input *in)
{
        if (in->bytes.len == 0) {
                buf_free(&c->in);
                c->in_at = 0;
        } else if (in->kept) {
                c->in_at = (size_t)(in->bytes.ptr - c->in.data);
        } else {
                buf_init(&c->in, c->loop->scratch_bytes);
                buf_append(&c->in, in->bytes.ptr, in->bytes.len);
        }
}

static ssize_t receive_fresh(struct http_connection *c, struct input *in)
{
        ssize_t n = http_connection_receive(c, c->loop->scratch, c->loop->scratch_bytes);
        *in = (struct input){{c->loop->scratch, n > 0 ? (size_t)n : 0}, false};
        return n;
}

/* More of a head that has partly arrived. */
static ssize_t receive_more(struct http_connection *c, struct input *in)
{
        size_t room = c->in.max_bytes - c->in.len;
        room = room < READ_AHEAD ? room : READ_AHEAD;
        if (!buf_reserve(&c->in, room)) {
                return -1;
        }
        ssize_t n = http_connection_receive(c, c->in.data + c->in.len, room);
        if (n > 0) {
                c->in.len += (size_t)n;
                c->in.data[c->in.len] = '\0';
        }
        *in = (struct input){{c->in.data, c->in.len}, true};
        return n;
}

/* Everything available of the next head. */
static ssize_t receive_head(struct http_connection *c, struct input *in)
{
        if (c->head != NULL) {
                return receive_more(c, in);
        }
        if (c->in.len > c->in_at) {
                *in = (struct input){{c->in.data + c->in_at, c->in.len - c->in_at}, true};
                return (ssize_t)in->bytes.len;
        }
        return receive_fresh(c, in);
}

/* The request is incomplete: its time limit starts at its first byte, however the rest arrives. */
static enum http_step wait_for_more(struct http_connection *c)
{
        if (c->begun_us == 0) {
                c->begun_us = c->loop->now_us;
        }
        http_deadline_set(c, http_deadline_slow(c));
        return c->readable ? HTTP_AGAIN : HTTP_ENOUGH;
}

/* --- requests --- */

static enum http_step hand_over(struct http_connection *c, const struct input *rest)
{
        struct http_exchange *x = c->exchange;
        struct http_server *server = x->server;
        struct http_response early = {0};
        http_sink_resume(x);
        keep_input(c, rest);
        c->begun_us = 0;
        c->phase = HTTP_READING_HEAD; /* what follows it */
        if (x->body.data != NULL) {
                x->request.body = (struct str){x->body.data, x->body.len};
        }
        http_exchange_count(x);
        if (atomic_load(&server->stopping)) {
                return http_connection_refuse(c, 503, "The server is shutting down.");
        }
        bool more = c->readable || c->half_closed || c->in.len > 0;
        buf_init(&early.body, HTTP_REFUSAL_BYTES);
        atomic_store(&c->owner, HTTP_OWNER_HELD | (more ? HTTP_OWNER_EVENT : 0));
        if (server->handlers.on_request(server->handlers.context, &x->request, &early)) {
                buf_free(&early.body);
                return HTTP_ENOUGH; /* connection and exchange belong to others now */
        }
        atomic_store(&c->owner, HTTP_OWNER_IO);
        return http_connection_answer(c, &early);
}

/* Like a complete body, but it is the connection's last request: what follows cannot be told from the next one. */
enum http_step http_request_hand_over_part(struct http_connection *c)
{
        const struct input nothing = {{"", 0}, false};
        c->exchange->request.is_part = true;
        c->exchange->keep_alive = false;
        c->linger = true;
        return hand_over(c, &nothing);
}

enum http_step http_request_refuse_part(struct http_connection *c, int status, const char *detail)
{
        if (c->head != NULL && c->exchange == NULL) { /* for the owner's error responses */
                c->exchange = http_exchange_new(c);
                if (c->exchange != NULL) {
                        http_exchange_fill(c->exchange, c->head, c->in.data);
                }
        }
        return http_connection_refuse(c, status, detail);
}

/* No more will arrive. A client that has closed only its own side still reads. */
static enum http_step end_of_input(struct http_connection *c)
{
        bool within = c->head != NULL || c->phase == HTTP_READING_BODY;
        if (c->phase == HTTP_READING_BODY && http_sink_keeps_part(c->exchange)) {
                return http_request_hand_over_part(c);
        }
        return within && c->ended ? http_request_refuse_part(c, 400, "The request ended before it was complete.")
                                  : http_connection_end(c);
}

static enum http_step too_large(struct http_connection *c)
{
        return http_connection_refuse(c, 413, "The body is larger than this endpoint accepts.");
}

/* Passes a piece of the body to its destination. */
static enum http_sink_result take_piece(struct http_exchange *x, struct str piece, struct http_response *early)
{
        if (x->request.sink != NULL) {
                return http_sink_take(x, piece, early);
        }
        buf_append(&x->body, piece.ptr, piece.len);
        return x->body.overflow ? HTTP_SINK_TOO_LARGE : HTTP_SINK_TOOK;
}

static enum http_parse take_chunks(struct http_exchange *x, struct input *in, enum http_sink_result *taken,
                                   struct http_response *early)
{
        struct str data;
        enum http_parse result;
        do {
                result = http_chunked_next(&x->decoder, &in->bytes, &data);
                *taken = take_piece(x, data, early);
                if (x->request.sink == NULL && x->decoder.left > x->body.max_bytes - x->body.len) {
                        *taken = HTTP_SINK_TOO_LARGE;
                }
        } while (result == HTTP_PARSE_MORE && in->bytes.len > 0 && *taken == HTTP_SINK_TOOK);
        return result;
}

static enum http_parse take_length(struct http_exchange *x, struct input *in, enum http_sink_result *taken,
                                   struct http_response *early)
{
        size_t n = in->bytes.len < x->left ? in->bytes.len : (size_t)x->left;
        *taken = take_piece(x, (struct str){in->bytes.ptr, n}, early);
        use_input(in, n);
        x->left -= n;
        return x->left == 0 ? HTTP_PARSE_DONE : HTTP_PARSE_MORE;
}

static enum http_step after_piece(struct http_connection *c, const struct input *rest, enum http_sink_result taken,
                                  bool is_last, struct http_response *early)
{
        struct http_exchange *x = c->exchange;
        if (taken == HTTP_SINK_TOO_LARGE) {
                return too_large(c);
        }
        if (taken == HTTP_SINK_REFUSED) {
                early->close = c->linger = true;
                return http_connection_answer(c, early);
        }
        if (!http_share_hold_body(x)) {
                return http_connection_refuse(c, 503, HTTP_TOO_MANY_BODIES);
        }
        if (is_last) {
                http_trailers_end(x);
                return hand_over(c, rest);
        }
        keep_input(c, rest);
        return wait_for_more(c);
}

static enum http_step take_body(struct http_connection *c, struct input *in)
{
        struct http_exchange *x = c->exchange;
        struct http_response early = {0};
        enum http_sink_result taken;
        enum http_parse result = x->chunked ? take_chunks(x, in, &taken, &early) : take_length(x, in, &taken, &early);
        if (result == HTTP_PARSE_REFUSED) {
                return http_connection_refuse(c, x->decoder.status, x->decoder.detail);
        }
        return after_piece(c, in, taken, result == HTTP_PARSE_DONE, &early);
}

/* Trims areas to so many bytes. Returns how many the areas have. */
static size_t limit_areas(struct iovec *areas, int *n, uint64_t most)
{
        size_t size = 0;
        for (int i = 0; i < *n; i++) {
                if (areas[i].iov_len >= most - size) {
                        areas[i].iov_len = (size_t)(most - size);
                        *n = i + 1;
                }
                size += areas[i].iov_len;
        }
        return size;
}

/* As much as possible at a time: after each read the kernel acknowledges the bytes to the client, which costs as much
 * as copying them. */
static enum http_step receive_directly(struct http_connection *c, struct iovec *areas, int n_areas)
{
        struct http_exchange *x = c->exchange;
        const struct input nothing = {{"", 0}, false};
        struct http_response early = {0};
        size_t size = limit_areas(areas, &n_areas, x->left);
        ssize_t n = http_connection_receive_areas(c, areas, n_areas, size);
        enum http_sink_result taken = http_sink_received(x, n > 0 ? (size_t)n : 0, &early);
        if (n <= 0 && taken == HTTP_SINK_TOOK) {
                return n < 0 ? end_of_input(c) : HTTP_ENOUGH;
        }
        x->left -= n > 0 ? (uint64_t)n : 0;
        return after_piece(c, &nothing, taken, x->left == 0, &early);
}

static enum http_step receive_for_sink(struct http_connection *c)
{
        struct http_exchange *x = c->exchange;
        struct iovec areas[AREAS_MAX];
        bool is_large = !x->chunked && c->tls == NULL && x->left > c->loop->scratch_bytes;
        int n_areas = is_large && c->readable ? http_sink_areas(x, areas, AREAS_MAX) : 0;
        if (n_areas > 0) {
                return receive_directly(c, areas, n_areas);
        }
        struct input in;
        ssize_t n = receive_fresh(c, &in);
        return n < 0 ? end_of_input(c) : n == 0 ? HTTP_ENOUGH : take_body(c, &in);
}

/* For a client that waits for it, unless the sink does not accept the body yet. False: it cannot be sent. */
static bool send_continue(struct http_connection *c)
{
        static const char text[] = "HTTP/1.1 100 Continue\r\n\r\n";
        struct http_exchange *x = c->exchange;
        if (!x->wants_continue || x->paused) {
                return true;
        }
        x->wants_continue = false;
        return send(c->fd, text, sizeof(text) - 1, MSG_NOSIGNAL | MSG_DONTWAIT) == (ssize_t)sizeof(text) - 1;
}

static enum http_step go_on(struct http_connection *c)
{
        struct http_response early = {0};
        if (!http_sink_goes_on(c->exchange, &early)) {
                early.close = c->linger = true;
                return http_connection_answer(c, &early);
        }
        return send_continue(c) ? HTTP_AGAIN : http_connection_end(c);
}

/* A body with a length is read directly into its destination, if that is memory. */
enum http_step http_request_read_body(struct http_connection *c)
{
        struct http_exchange *x = c->exchange;
        struct input in;
        if (x->paused) {
                return HTTP_ENOUGH;
        }
        if (x->resumed) {
                return go_on(c);
        }
        if (x->request.sink != NULL) {
                return receive_for_sink(c);
        }
        if (x->chunked) {
                ssize_t n = receive_fresh(c, &in);
                return n < 0 ? end_of_input(c) : n == 0 ? HTTP_ENOUGH : take_body(c, &in);
        }
        /* No more than has arrived: memory is not allocated for mere promises. */
        size_t piece = x->body.len < READ_AHEAD ? READ_AHEAD : x->body.len;
        piece = x->left < piece ? (size_t)x->left : piece;
        if (!buf_reserve(&x->body, piece)) {
                return too_large(c);
        }
        if (!http_share_hold_body(x)) {
                return http_connection_refuse(c, 503, HTTP_TOO_MANY_BODIES);
        }
        ssize_t n = http_connection_receive(c, x->body.data + x->body.len, piece);
        if (n <= 0) {
                return n < 0 ? end_of_input(c) : HTTP_ENOUGH;
        }
        x->body.len += (size_t)n;
        x->body.data[x->body.len] = '\0';
        x->left -= (uint64_t)n;
        in = (struct input){{"", 0}, false};
        return x->left == 0 ? hand_over(c, &in) : wait_for_more(c);
}

static enum http_step begin_body(struct http_connection *c, struct input *in, size_t max_body)
{
        struct http_exchange *x = c->exchange;
        if (!x->chunked && x->left > max_body) {
                return too_large(c);
        }
        if (!x->chunked && x->left == 0) {
                return hand_over(c, in);
        }
        x->wants_continue = x->wants_continue && in->bytes.len == 0;
        http_trailers_begin(x);
        if (x->request.sink != NULL) {
                http_sink_begin(x, max_body);
        } else {
                buf_init(&x->body, max_body);
        }
        c->phase = HTTP_READING_BODY;
        return send_continue(c) ? take_body(c, in) : http_connection_end(c);
}

static enum http_step begin_request(struct http_connection *c, struct input *in)
{
        struct http_exchange *x = c->exchange;
        const struct http_handlers *handlers = &x->server->handlers;
        struct http_response early = {0};
        size_t max_body = HTTP_DEFAULT_MAX_BODY;
        buf_init(&early.body, HTTP_REFUSAL_BYTES);
        if (!handlers->on_headers(handlers->context, &x->request, &max_body, &early)) {
                if (x->chunked || x->left > 0) {
                        early.close = c->linger = true;
                } else {
                        keep_input(c, in); /* the next request */
                }
                return http_connection_answer(c, &early);
        }
        buf_free(&early.body);
        return begin_body(c, in, max_body);
}

/* The part of an incomplete head that was read: the parser continues there. */
static enum http_step keep_head(struct http_connection *c, const struct http_head *head, const struct input *in)
{
        if (c->head == NULL) {
                c->head = malloc(sizeof(*c->head));
                if (c->head == NULL) {
                        return http_connection_end(c);
                }
                memcpy(c->head, head, sizeof(*head));
        }
        if (!in->kept) {
                keep_input(c, in);
        } else if (c->in_at > 0) {
                memmove(c->in.data, in->bytes.ptr, in->bytes.len + 1);
                c->in.len = in->bytes.len;
                c->in_at = 0;
        }
        return wait_for_more(c);
}

static enum http_step start_http2(struct http_connection *c, const struct input *in)
{
        struct buf kept = c->in;
        c->in = (struct buf){0};
        c->in_at = 0;
        free(c->head);
        c->head = NULL;
        enum http_step step = http2_start(c, in->bytes.ptr, in->bytes.len);
        buf_free(&kept);
        return step;
}

/* Then it starts over. */
static enum http_step move_http2(struct http_connection *c, const struct input *in)
{
        keep_input(c, in);
        free(c->head);
        c->head = NULL;
        c->begun = false;
        return http_connection_move(c, http_loop_of_long_connections(c->loop->server));
}

/* A connection starts with HTTP/2's preface, or it is HTTP/1.1 (RFC 9113, 3.3: prior knowledge). */
static enum http2_preface look_for_http2(struct http_connection *c, const struct input *in)
{
        enum http2_preface preface = c->begun ? HTTP2_PREFACE_NOT : http2_preface(in->bytes.ptr, in->bytes.len);
        c->begun |= preface != HTTP2_PREFACE_PART;
        return preface;
}

enum http_step http_request_read_head(struct http_connection *c)
{
        struct input in;
        struct http_head *head = c->head != NULL ? c->head : &c->loop->head;
        ssize_t n = receive_head(c, &in);
        if (n <= 0) {
                return n < 0 ? end_of_input(c) : HTTP_ENOUGH;
        }
        if (c->head == NULL) {
                http_head_init(head);
        }
        switch (look_for_http2(c, &in)) {
        case HTTP2_PREFACE:
                return c->loop == http_loop_of_long_connections(c->loop->server) ? start_http2(c, &in)
                                                                                 : move_http2(c, &in);
        case HTTP2_PREFACE_PART:
                return keep_head(c, head, &in);
        case HTTP2_PREFACE_NOT:
                break;
        }
        if (c->loop->server->options.http2_only) {
                return http_connection_refuse(c, 505, "This port accepts HTTP/2 only.");
        }
        enum http_parse result =
            http_head_parse(head, in.bytes.ptr, in.bytes.len, c->loop->server->options.max_header_bytes);
        if (result == HTTP_PARSE_MORE) {
                return keep_head(c, head, &in);
        }
        c->exchange = http_exchange_new(c);
        if (c->exchange == NULL) {
                return http_connection_end(c);
        }
        http_exchange_fill(c->exchange, head, in.bytes.ptr);
        int status = head->status;
        const char *detail = head->detail;
        use_input(&in, head->line);
        free(c->head);
        c->head = NULL;
        return result == HTTP_PARSE_DONE ? begin_request(c, &in) : http_connection_refuse(c, status, detail);
}
