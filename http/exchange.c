/* One request and its response, from parsing the head to the last byte sent. internal.h defines who owns it when. */
#include "http/http2.h"

#include <errno.h>
#include <stdlib.h>
#include <string.h>
#include <strings.h>
#include <sys/uio.h>

#include "base/clock.h"

const char *http_request_header(const struct http_request *r, const char *name)
{
        for (size_t i = 0; i < r->n_headers; i++) {
                if (strcasecmp(r->headers[i].name, name) == 0) {
                        return r->headers[i].value;
                }
        }
        return NULL;
}

void http_response_header(struct http_response *r, const char *name, const char *value)
{
        if (r->n_headers < sizeof(r->headers) / sizeof(r->headers[0])) {
                r->headers[r->n_headers++] = (struct http_header){name, value};
        }
}

void http_response_trailer(struct http_response *r, const char *name, const char *value)
{
        if (r->n_trailers < sizeof(r->trailers) / sizeof(r->trailers[0])) {
                r->trailers[r->n_trailers++] = (struct http_header){name, value};
        }
}

/* --- life --- */

struct http_exchange *http_exchange_new(struct http_connection *c)
{
        struct http_server *server = c->loop->server;
        struct arena *arena = arena_new(server->options.arena_bytes);
        if (arena == NULL) {
                return NULL;
        }
        struct http_exchange *x = ARENA_NEW(arena, struct http_exchange);
        x->request.arena = arena;
        x->request.method = "";
        x->request.path = "";
        x->request.query.ptr = "";
        x->request.body.ptr = "";
        x->request.certificate = "";
        x->request.peer = c->peer; /* the connection outlives the owner's use of the request */
        x->request.started_us = clock_monotonic_us();
        x->server = server;
        x->connection = c;
        x->fetch_fd = -1;
        return x;
}

/* Splits the copied head into strings: after each part there is a character that is no longer needed. */
static const char *cut_piece(char *text, struct http_span piece)
{
        text[piece.at + piece.len] = '\0';
        return text + piece.at;
}

void http_exchange_fill(struct http_exchange *x, const struct http_head *head, const char *bytes)
{
        struct http_request *r = &x->request;
        struct arena *arena = r->arena;
        if (!head->has_request_line) {
                return;
        }
        char *text = arena_alloc(arena, head->line + 1);
        struct http_header *headers = ARENA_ARRAY(arena, struct http_header, head->n_fields);
        memcpy(text, bytes, head->line);
        r->method = cut_piece(text, head->method);
        r->query = (struct str){cut_piece(text, head->query), head->query.len};
        r->path = head->path.len == 0 ? "/" : cut_piece(text, head->path);
        for (uint32_t i = 0; i < head->n_fields; i++) {
                headers[i] =
                    (struct http_header){cut_piece(text, head->fields[i].name), cut_piece(text, head->fields[i].value)};
        }
        r->headers = headers;
        r->n_headers = head->n_fields;
        x->http_10 = head->http_10;
        x->keep_alive = head->keep_alive;
        x->is_head = strcmp(r->method, "HEAD") == 0;
        x->chunked = head->chunked;
        r->has_body = head->chunked || head->content_length > 0;
        x->wants_continue = head->expects_continue;
        x->left = head->content_length;
        http_chunked_init(&x->decoder);
}

void http_exchange_count(struct http_exchange *x)
{
        x->counted = true;
        metric_add(x->server->metrics.in_flight, 1);
        atomic_fetch_add(&x->server->busy, 1);
}

static void release_exchange(struct http_exchange *x)
{
        http_sink_resume(x);
        if (x->upgrade != NULL) { /* the upgrade did not happen */
                x->upgrade->end(x->upgrade_context);
        }
        http_share_release(x);
        buf_free(&x->body);
        buf_free(&x->trailers);
        buf_free(&x->answer);
        if (x->flow != NULL) {
                x->flow->close(x->flow);
        }
        http_file_end(x);
        if (x->request.release != NULL) {
                x->request.release(&x->request);
        }
        arena_free(x->request.arena); /* contains the exchange itself */
}

void http_server_uncount(struct http_server *server)
{
        metric_add(server->metrics.in_flight, -1);
        atomic_fetch_sub(&server->busy, 1);
}

void http_exchange_end(struct http_exchange *x)
{
        if (x == NULL) {
                return;
        }
        struct http_server *server = x->server;
        bool counted = x->counted;
        release_exchange(x);
        if (counted) {
                http_server_uncount(server);
        }
}

/* --- the response --- */

static size_t pieces_left(const struct http_exchange *x, struct iovec pieces[2])
{
        size_t n = 0, body_sent = x->sent > x->head_len ? x->sent - x->head_len : 0;
        if (x->sent < x->head_len) {
                pieces[n++] = (struct iovec){x->head + x->sent, x->head_len - x->sent};
        }
        if (body_sent < x->answer_len) {
                pieces[n++] = (struct iovec){x->answer.data + body_sent, x->answer_len - body_sent};
        }
        return n;
}

static enum http_sent send_memory(struct http_exchange *x, int fd)
{
        struct iovec pieces[2];
        struct msghdr message = {.msg_iov = pieces, .msg_iovlen = pieces_left(x, pieces)};
        ssize_t n = 0;
        if (message.msg_iovlen > 0) {
                do {
                        n = sendmsg(fd, &message, MSG_NOSIGNAL | MSG_DONTWAIT | (x->file_len > 0 ? MSG_MORE : 0));
                } while (n < 0 && errno == EINTR);
        }
        if (n < 0) {
                return errno == EAGAIN ? HTTP_SENT_PART : HTTP_SENT_BROKEN;
        }
        x->sent += (size_t)n;
        return x->sent == x->head_len + x->answer_len ? HTTP_SENT_ALL : HTTP_SENT_PART;
}

enum http_sent http_exchange_send(struct http_exchange *x, int fd)
{
        enum http_sent sent = x->sent > x->head_len + x->answer_len ? HTTP_SENT_ALL : send_memory(x, fd);
        return sent == HTTP_SENT_ALL && x->file_len > 0 ? http_file_send(x, fd) : sent;
}

/* The connection may start its next request: the I/O thread is woken only if there is more to do. The caller owns
 * the exchange. */
static void give_back(struct http_connection *c)
{
        unsigned expected = HTTP_OWNER_HELD | HTTP_OWNER_SENDING;
        c->exchange = NULL;
        c->active_us = clock_monotonic_us();
        if (!atomic_compare_exchange_strong(&c->owner, &expected, HTTP_OWNER_IO)) {
                http_loop_give_back(c->loop, c);
        }
}

void http_respond(struct http_request *r, struct http_response *response)
{
        struct http_exchange *x = (struct http_exchange *)(void *)r;
        struct http_connection *c = x->connection;
        struct http_server *server = x->server;
        if (x->stream != NULL) {
                if (!http2_respond(x->stream, response)) {
                        buf_free(&response->body);
                        x->flow = response->flow;
                        x->upgrade = response->upgrade;
                        x->upgrade_context = response->upgrade_context;
                        x->file = response->file;
                        release_exchange(x);
                }
                return;
        }
        if ((atomic_fetch_or(&c->owner, HTTP_OWNER_SENDING) & HTTP_OWNER_ABANDONED) != 0) {
                buf_free(&response->body);
                x->upgrade = response->upgrade;
                x->upgrade_context = response->upgrade_context;
                x->file = response->file;
                release_exchange(x); /* and touches nothing of the server, which may be gone */
                free(c);
                return;
        }
        http_answer_take(x, response);
        if (http_exchange_send(x, c->fd) == HTTP_SENT_ALL && !x->close && x->upgrade == NULL) {
                give_back(c);
                http_exchange_end(x);
                return;
        }
        /* The I/O thread ends it; our own count keeps the server alive while we wake that thread. */
        atomic_fetch_add(&server->busy, 1);
        http_loop_give_back(c->loop, c);
        atomic_fetch_sub(&server->busy, 1);
}
