/* A connection on its I/O thread, from accept to close: its steps, responses, rejections and end. internal.h defines
 * when this thread owns it. */
#include "http/http2.h"

#include <assert.h>
#include <errno.h>
#include <sched.h>
#include <stdlib.h>
#include <sys/epoll.h>
#include <unistd.h>

#include "base/address.h"
#include "base/clock.h"

enum {
        STEPS_AT_ONCE = 64,  /* then other connections continue; after each response if another request has arrived */
        BODY_STEPS = 8,      /* of these, for a read of a body, since it may be large */
        LINGER_US = 2000000, /* how long a rejected client may keep sending */
        LINGER_BYTES = 4 << 20, /* and how much */
};

/* --- creating and ending --- */

/* Shows an IPv4 address in an IPv6 socket as IPv4. */
static void peer_text(const struct sockaddr_storage *from, char out[HTTP_PEER_SIZE])
{
        uint8_t address[ADDRESS_BYTES];
        out[0] = '\0';
        if (address_from_socket((const void *)from, address)) {
                address_write(address, out);
        }
}

static void forget_input(struct http_connection *c)
{
        buf_free(&c->in);
        c->in_at = 0;
        free(c->head);
        c->head = NULL;
}

static void uncount(struct http_connection *c)
{
        struct http_server *server = c->loop->server;
        http_share_leave(c);
        metric_add(server->metrics.connections, -1);
        atomic_fetch_sub_explicit(&server->n_connections, 1, memory_order_relaxed);
        atomic_fetch_sub_explicit(&c->loop->n_connections, 1, memory_order_relaxed);
}

/* Removes the connection from the loop; descriptor and memory stay. */
static void detach_connection(struct http_connection *c)
{
        http_loop_unlink(c);
        forget_input(c);
        uncount(c);
}

static void forget_carriers(struct http_connection *c)
{
        if (c->http2 != NULL) {
                http2_free(c->http2);
                c->http2 = NULL;
        }
        http_upgrade_end(c);
        tls_free(c->tls);
        c->tls = NULL;
        free(c->certificate);
}

static void release_connection(struct http_connection *c)
{
        forget_carriers(c);
        close(c->fd);
        http_exchange_end(c->exchange);
        free(c);
}

enum http_step http_connection_end(struct http_connection *c)
{
        detach_connection(c);
        release_connection(c);
        return HTTP_ENOUGH;
}

void http_connection_drop(struct http_connection *c)
{
        forget_input(c);
        uncount(c);
        release_connection(c);
}

/* So that the kernel does not keep retransmitting what the client does not read. */
enum http_step http_connection_end_hard(struct http_connection *c)
{
        struct linger at_once = {.l_onoff = 1, .l_linger = 0};
        setsockopt(c->fd, SOL_SOCKET, SO_LINGER, &at_once, sizeof(at_once));
        return http_connection_end(c);
}

/* The descriptor is edge-triggered: after reading less than what is available, read again. A read that does not fill
 * its buffer has emptied the socket. */
static ssize_t note_received(struct http_connection *c, ssize_t n, size_t size)
{
        if (n == 0 || (n < 0 && errno != EAGAIN)) {
                c->ended = n == 0;
                return -1;
        }
        c->readable = n > 0 && ((size_t)n == size || c->half_closed);
        return n > 0 ? n : 0;
}

ssize_t http_connection_receive(struct http_connection *c, char *into, size_t size)
{
        if (!c->readable) {
                return 0;
        }
        ssize_t n;
        if (c->tls != NULL) { /* there may be more, whatever the size */
                n = tls_receive(c->tls, into, size);
                c->readable = n > 0;
                return n;
        }
        do {
                n = recv(c->fd, into, size, 0);
        } while (n < 0 && errno == EINTR);
        return note_received(c, n, size);
}

ssize_t http_connection_receive_areas(struct http_connection *c, struct iovec *areas, int n_areas, size_t size)
{
        if (!c->readable) {
                return 0;
        }
        struct msghdr into = {.msg_iov = areas, .msg_iovlen = (size_t)n_areas};
        ssize_t n;
        do {
                n = recvmsg(c->fd, &into, 0);
        } while (n < 0 && errno == EINTR);
        return note_received(c, n, size);
}

ssize_t http_connection_send(struct http_connection *c, const char *bytes, size_t len)
{
        if (c->tls != NULL) {
                return tls_send(c->tls, bytes, len);
        }
        ssize_t n;
        do {
                n = send(c->fd, bytes, len, MSG_NOSIGNAL | MSG_DONTWAIT);
        } while (n < 0 && errno == EINTR);
        return n >= 0 ? n : errno == EAGAIN ? 0 : -1;
}

/* --- responses --- */

enum http_step http_connection_answer(struct http_connection *c, struct http_response *response)
{
        http_sink_resume(c->exchange);
        http_answer_take(c->exchange, response);
        c->phase = HTTP_SENDING;
        c->begun_us = 0;
        http_deadline_begin_sending(c);
        return HTTP_AGAIN;
}

enum http_step http_connection_refuse(struct http_connection *c, int status, const char *detail)
{
        struct http_response response;
        if (c->exchange == NULL) {
                c->exchange = http_exchange_new(c);
        }
        if (c->exchange == NULL) {
                return http_connection_end(c);
        }
        http_refusal(c->loop->server, &c->exchange->request, status, detail, &response);
        c->linger = true;
        return http_connection_answer(c, &response);
}

/* Closing a socket with unread bytes resets it, and the client may lose a response that it has not read yet. */
enum http_step http_connection_linger(struct http_connection *c)
{
        shutdown(c->fd, SHUT_WR);
        forget_input(c);
        c->phase = HTTP_LINGERING;
        c->linger_us = c->loop->now_us + LINGER_US;
        c->linger_bytes = LINGER_BYTES;
        http_deadline_set(c, c->linger_us);
        return HTTP_AGAIN;
}

static enum http_step drain(struct http_connection *c)
{
        ssize_t n = http_connection_receive(c, c->loop->scratch, c->loop->scratch_bytes);
        if (n < 0 || (size_t)n >= c->linger_bytes) {
                return http_connection_end(c);
        }
        c->linger_bytes -= (size_t)n;
        return c->readable ? HTTP_AGAIN : HTTP_ENOUGH;
}

static enum http_step finish_exchange(struct http_connection *c)
{
        if (c->exchange->upgrade != NULL) {
                return http_upgrade_begin(c);
        }
        bool closing = c->exchange->close;
        http_exchange_end(c->exchange);
        c->exchange = NULL;
        c->active_us = clock_monotonic_us();
        c->phase = HTTP_READING_HEAD;
        if (!closing) {
                return HTTP_AGAIN;
        }
        return c->linger || c->readable || c->in.len > 0 ? http_connection_linger(c) : http_connection_end(c);
}

static enum http_step send_more(struct http_connection *c)
{
        struct http_exchange *x = c->exchange;
        assert(x != NULL);
        size_t before = x->sent;
        switch (http_exchange_send(x, c->fd)) {
        case HTTP_SENT_ALL:
                return finish_exchange(c);
        case HTTP_SENT_BROKEN:
                return http_connection_end(c);
        case HTTP_SENT_PART:
                break;
        }
        http_deadline_set(c, c->loop->now_us + (int64_t)c->loop->server->options.slow_client_ms * 1000);
        if (x->sent == before) {
                http_file_watch(x);
        }
        return x->sent > before ? HTTP_AGAIN : HTTP_ENOUGH;
}

/* --- TLS --- */

enum { CERTIFICATE_NAMES_MAX = 1024 };

static void remember_certificate(struct http_connection *c)
{
        struct buf names;
        buf_init(&names, CERTIFICATE_NAMES_MAX);
        tls_peer_names(c->tls, &names);
        c->certificate = names.data; /* or NULL */
}

static enum http_step secure(struct http_connection *c)
{
        switch (tls_handshake(c->tls)) {
        case TLS_DONE:
                remember_certificate(c);
                return http2_start(c, "", 0);
        case TLS_WAITING:
                return HTTP_ENOUGH;
        case TLS_FAILED:
                break;
        }
        return http_connection_end(c);
}

/* A client that does not finish the handshake counts as slow. */
static bool start_tls(struct http_connection *c)
{
        c->tls = tls_new(c->loop->server->tls, c->fd, NULL);
        c->phase = HTTP_SECURING;
        c->begun_us = c->loop->now_us;
        http_deadline_set(c, http_deadline_slow(c));
        return c->tls != NULL;
}

/* --- called by the loop --- */

/* Requests sent in one piece may keep this thread busy, so they alternate with those of other connections. */
static bool has_had_its_turn(const struct http_connection *c, enum http_phase before)
{
        return before == HTTP_SENDING && c->phase == HTTP_READING_HEAD && (c->in.len > c->in_at || c->readable);
}

void http_connection_work(struct http_connection *c)
{
        struct http_loop *loop = c->loop;
        enum http_step step = HTTP_AGAIN;
        for (int i = 0; i < STEPS_AT_ONCE && step == HTTP_AGAIN;) {
                enum http_phase before = c->phase;
                i += before == HTTP_READING_BODY ? BODY_STEPS : 1;
                switch (c->phase) {
                case HTTP_READING_HEAD:
                        step = http_request_read_head(c);
                        break;
                case HTTP_READING_BODY:
                        step = http_request_read_body(c);
                        break;
                case HTTP_SENDING:
                        step = send_more(c);
                        break;
                case HTTP_SECURING:
                        step = secure(c);
                        break;
                case HTTP_SPEAKING_2:
                        step = http2_work(c);
                        break;
                case HTTP_UPGRADED:
                        step = http_upgrade_work(c);
                        break;
                case HTTP_LINGERING:
                        step = drain(c);
                        break;
                }
                if (step == HTTP_AGAIN && has_had_its_turn(c, before)) {
                        break;
                }
        }
        if (step == HTTP_AGAIN) {
                http_loop_add_ready(loop, c);
        }
}

/* Otherwise the owner is told that there is an event. */
static bool is_our_turn(struct http_connection *c)
{
        if (atomic_load(&c->owner) == HTTP_OWNER_IO) {
                return true;
        }
        if ((atomic_fetch_or(&c->owner, HTTP_OWNER_EVENT) & HTTP_OWNER_HELD) != 0) {
                return false;
        }
        atomic_store(&c->owner, HTTP_OWNER_IO); /* ownership was returned in the meantime */
        return true;
}

void http_connection_event(struct http_connection *c, uint32_t events)
{
        c->readable |= (events & (EPOLLIN | EPOLLRDHUP | EPOLLHUP | EPOLLERR)) != 0;
        c->half_closed |= (events & (EPOLLRDHUP | EPOLLHUP | EPOLLERR)) != 0;
        if (!c->ready && is_our_turn(c)) {
                http_connection_work(c);
        }
}

void *http_connection_source(struct http_connection *c)
{
        return (char *)c + 1;
}

/* Only marks the connection: its socket may have an event in the same round that ends it. */
void http_connection_source_event(struct http_connection *c)
{
        if (c->http2 != NULL) {
                http2_flow_wake(c->http2);
        }
        if (!c->ready) {
                http_loop_add_ready(c->loop, c);
        }
}

void http_connection_returned(struct http_connection *c)
{
        atomic_store(&c->owner, HTTP_OWNER_IO);
        if (c->exchange != NULL) {
                c->phase = HTTP_SENDING;
                http_deadline_begin_sending(c);
        }
        http_connection_work(c);
}

static void turn_away(struct http_connection *c, int status, const char *detail)
{
        if (c->loop->server->options.http2_only) {
                http_connection_end(c);
        } else if (http_connection_refuse(c, status, detail) == HTTP_AGAIN) {
                http_connection_work(c);
        }
}

/* To the thread with the fewest connections, if it still has fewer with this one. */
static void spread(struct http_connection *c)
{
        struct http_loop *to = http_loop_with_fewest(c->loop);
        if (to != c->loop && atomic_load_explicit(&to->n_connections, memory_order_relaxed) + 1 <
                                 atomic_load_explicit(&c->loop->n_connections, memory_order_relaxed)) {
                (void)http_connection_move(c, to);
        }
}

void http_connection_new(struct http_loop *loop, int fd, const struct sockaddr_storage *address)
{
        struct http_server *server = loop->server;
        struct http_connection *c = calloc(1, sizeof(*c));
        if (c != NULL) {
                c->fd = fd;
        }
        if (c == NULL || !http_loop_link(loop, c)) {
                free(c);
                close(fd);
                return;
        }
        c->active_us = loop->now_us;
        peer_text(address, c->peer);
        metric_add(server->metrics.connections, 1);
        atomic_fetch_add_explicit(&loop->n_connections, 1, memory_order_relaxed);
        http_deadline_set(c, http_deadline_idle(c));
        bool full = atomic_fetch_add_explicit(&server->n_connections, 1, memory_order_relaxed) >=
                    server->options.max_connections;
        enum http_share_is share = http_share_join(c);
        if (share == HTTP_SHARE_EXCEEDED) {
                http_connection_end_hard(c);
        } else if (share == HTTP_SHARE_USED) {
                turn_away(c, 429, "Too many connections from your address; close some.");
        } else if (full) {
                turn_away(c, 503, "The server has reached its connection limit.");
        } else if (server->tls != NULL && !start_tls(c)) {
                http_connection_end(c);
        } else {
                spread(c);
        }
}

/* --- ending --- */

/* True if the owner still had the request: it now owns what is left of it. */
static bool abandon(struct http_connection *c)
{
        unsigned owner = atomic_load(&c->owner);
        return (owner & HTTP_OWNER_HELD) != 0 && (owner & HTTP_OWNER_SENDING) == 0 &&
               atomic_compare_exchange_strong(&c->owner, &owner, HTTP_OWNER_HELD | HTTP_OWNER_ABANDONED);
}

static void end_last(struct http_connection *c)
{
        struct http_server *server = c->loop->server;
        int fd = c->fd;
        detach_connection(c);
        forget_carriers(c);
        while (atomic_load(&c->owner) != HTTP_OWNER_IO) {
                if (abandon(c)) {
                        close(fd);
                        http_server_uncount(server);
                        return;
                }
                sched_yield(); /* a worker is sending */
                http_loop_take_returned(c->loop);
        }
        close(fd);
        http_exchange_end(c->exchange);
        free(c);
}

void http_connection_end_all(struct http_loop *loop)
{
        http_loop_take_returned(loop);
        for (struct http_connection *c = loop->connections, *next; c != NULL; c = next) {
                next = c->next;
                end_last(c);
        }
}
