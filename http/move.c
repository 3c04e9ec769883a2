/* Moves idle connections to another I/O thread: new ones, so that all threads have about the same number, and those
 * that become HTTP/2 or leave HTTP, which are all on the first thread: what they send on their own, as event streams
 * do, needs a single thread. */
#include "http/internal.h"

#include <stdlib.h>
#include <sys/epoll.h>
#include <unistd.h>

#include "base/clock.h"

struct http_loop *http_loop_of_long_connections(struct http_server *server)
{
        return &server->loops[0];
}

struct http_loop *http_loop_with_fewest(struct http_loop *loop)
{
        struct http_server *server = loop->server;
        struct http_loop *best = loop;

        for (int i = 0; i < server->n_loops; i++) {
                if (atomic_load_explicit(&server->loops[i].n_connections, memory_order_relaxed) <
                    atomic_load_explicit(&best->n_connections, memory_order_relaxed)) {
                        best = &server->loops[i];
                }
        }
        return best;
}

bool http_loop_link(struct http_loop *loop, struct http_connection *c)
{
        struct epoll_event event = {.events = EPOLLIN | EPOLLOUT | EPOLLRDHUP | EPOLLET, .data.ptr = c};

        if (epoll_ctl(loop->epoll_fd, EPOLL_CTL_ADD, c->fd, &event) != 0) {
                return false;
        }
        c->loop = loop;
        c->next = loop->connections;
        c->at = &loop->connections;
        if (c->next != NULL) {
                c->next->at = &c->next;
        }
        loop->connections = c;
        return true;
}

void http_loop_unlink(struct http_connection *c)
{
        http_wheel_clear(&c->timer);
        *c->at = c->next;
        if (c->next != NULL) {
                c->next->at = c->at;
        }
        /* Closing does not do this while a child process that is just starting holds the descriptor, too. */
        epoll_ctl(c->loop->epoll_fd, EPOLL_CTL_DEL, c->fd, NULL);
}

enum http_step http_connection_move(struct http_connection *c, struct http_loop *to)
{
        http_loop_unlink(c);
        atomic_fetch_sub_explicit(&c->loop->n_connections, 1, memory_order_relaxed);
        atomic_fetch_add_explicit(&to->n_connections, 1, memory_order_relaxed);
        c->loop = to;
        struct http_connection *first = atomic_load_explicit(&to->arrived, memory_order_relaxed);

        do {
                c->queued_next = first;
        } while (!atomic_compare_exchange_weak_explicit(&to->arrived, &first, c, memory_order_release,
                                                        memory_order_relaxed));
        if (first == NULL) {
                http_loop_wake(to);
        }
        return HTTP_ENOUGH;
}

/* Continues where it was, and recomputes its deadlines. */
static void arrive(struct http_loop *loop, struct http_connection *c, bool work)
{
        if (!http_loop_link(loop, c)) {
                http_connection_drop(c);
                return;
        }
        http_deadline_set(c, loop->now_us);
        if (work) {
                http_connection_work(c);
        }
}

void http_loop_take_arrived(struct http_loop *loop, bool work)
{
        struct http_connection *c = atomic_load_explicit(&loop->arrived, memory_order_relaxed) == NULL
                                        ? NULL
                                        : atomic_exchange_explicit(&loop->arrived, NULL, memory_order_acquire);

        while (c != NULL) {
                struct http_connection *next = c->queued_next;

                arrive(loop, c, work);
                c = next;
        }
}
