/* Limits what clients have been sent and do not read: per connection by the size of the kernel's buffers, and in
 * total by dropping the connections that hold most. In addition a connection holds one response: the next pipelined
 * request starts when the kernel has accepted all of the previous response. Over HTTP/2 it holds HTTP2_UNSENT_BYTES
 * and one response. */
#include "http/http2.h"

#include <linux/sockios.h>
#include <netinet/in.h>
#include <netinet/tcp.h>
#include <sys/ioctl.h>

enum {
        /* In the kernel but not sent because the client's window is closed: a client that does not read. Most
         * responses are smaller, so that one system call of the worker sends them. */
        UNSENT_BYTES = 128 << 10,
        /* Sent but not acknowledged, including the kernel's overhead, which is why it doubles the number: a client
         * that opens its window and does not acknowledge. It also limits what a connection can carry per round trip:
         * over 32 Mbit/s at 100 ms. net.core.wmem_max (208 KiB by default) may reduce it. */
        SEND_BUFFER_BYTES = 256 << 10,
        USER_TIMEOUT_PER_SLOW = 4, /* after our own check, see takes_its_answer in deadline.c */
        SIZES = 64,
};

/* Inherited by accepted sockets. */
void http_unread_limit(int listen_fd, const struct http_options *options)
{
        int buffer = SEND_BUFFER_BYTES, unsent = UNSENT_BYTES;
        unsigned timeout_ms = (unsigned)options->slow_client_ms * USER_TIMEOUT_PER_SLOW;
        setsockopt(listen_fd, SOL_SOCKET, SO_SNDBUF, &buffer, sizeof(buffer));
        setsockopt(listen_fd, IPPROTO_TCP, TCP_NOTSENT_LOWAT, &unsent, sizeof(unsent));
        /* RFC 5482: for idle connections with a response in the kernel, and closed ones that are still there. */
        setsockopt(listen_fd, IPPROTO_TCP, TCP_USER_TIMEOUT, &timeout_ms, sizeof(timeout_ms));
}

static bool is_ours(struct http_connection *c)
{
        return !c->ready && atomic_load(&c->owner) == HTTP_OWNER_IO;
}

/* Produced but not given to the kernel. */
static size_t waiting_here(const struct http_connection *c)
{
        const struct http_exchange *x = c->exchange;
        if (c->upgraded != NULL) {
                return http_upgrade_unsent(c);
        }
        if (c->http2 != NULL) {
                return c->http2->unsent + c->http2->out.len - c->http2->out_at;
        }
        size_t made = x != NULL ? x->head_len + x->answer_len : 0; /* a file is not in memory */
        return x != NULL && x->sent < made ? made - x->sent : 0;
}

static int64_t unread_of(struct http_connection *c)
{
        int in_kernel = 0;
        ioctl(c->fd, SIOCOUTQ, &in_kernel);
        return in_kernel + (is_ours(c) ? (int64_t)waiting_here(c) : 0);
}

void http_unread_add(struct http_loop *loop, size_t bytes)
{
        atomic_fetch_add_explicit(&loop->answers, (int64_t)bytes, memory_order_relaxed);
}

/* The largest power of two that is not greater: 0 for one byte. */
static int size_of(int64_t bytes)
{
        return SIZES - 1 - __builtin_clzll((unsigned long long)bytes);
}

/* Recomputes what the loop's connections hold; held gets it by size. */
static void look_at_sizes(struct http_loop *loop, int64_t held[SIZES])
{
        /* Responses added meanwhile may be counted twice. */
        atomic_store_explicit(&loop->answers, 0, memory_order_relaxed);
        loop->unread = 0;
        for (struct http_connection *c = loop->connections; c != NULL; c = c->next) {
                int64_t bytes = unread_of(c);
                if (bytes > 0) {
                        held[size_of(bytes)] += bytes;
                        loop->unread += bytes;
                }
        }
}

static void drop_from(struct http_loop *loop, int smallest)
{
        for (struct http_connection *c = loop->connections, *next; c != NULL; c = next) {
                next = c->next;
                int64_t bytes = is_ours(c) ? unread_of(c) : 0;
                if (bytes > 0 && size_of(bytes) >= smallest) {
                        loop->unread -= bytes;
                        metric_add(loop->server->metrics.slow_clients, 1);
                        http_connection_end_hard(c);
                }
        }
}

/* What this thread's connections may hold: the total less what those of other threads held at their last check, but
 * at least an equal share. A thread that exceeds that as the others grow drops some at its next check. */
static int64_t bound_of(const struct http_loop *loop)
{
        const struct http_server *server = loop->server;
        int64_t left = server->options.unread_bytes, part = left / server->n_loops;
        for (int i = 0; i < server->n_loops; i++) {
                const struct http_loop *other = &server->loops[i];
                left -= other != loop ? atomic_load_explicit(&other->unread, memory_order_relaxed) : 0;
        }
        return left > part ? left : part;
}

/* Checks only if the limit may be exceeded, and then again only after a quarter of the limit was sent: a check asks
 * the kernel about each connection. */
void http_unread_check(struct http_loop *loop)
{
        const int64_t bound = bound_of(loop);
        int64_t answers = atomic_load_explicit(&loop->answers, memory_order_relaxed), held[SIZES] = {0};
        if (answers <= bound / 4 || loop->unread + answers <= bound) {
                return;
        }
        look_at_sizes(loop, held);
        int64_t left = loop->unread;
        int smallest = SIZES;
        while (left > bound) {
                left -= held[--smallest];
        }
        if (smallest < SIZES) {
                drop_from(loop, smallest);
        }
}
