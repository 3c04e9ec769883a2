/* An I/O thread: waits for sockets, accepts connections, takes back what workers could not finish, and runs the
 * timer wheel. */
#include "http/http2.h"

#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <sys/epoll.h>
#include <sys/eventfd.h>
#include <unistd.h>

#include "base/clock.h"
#include "base/log.h"

enum { EVENTS_AT_ONCE = 128, ACCEPTS_AT_ONCE = 64, READ_AHEAD_BYTES = 16 << 10, TICK_MIN_MS = 10, TICK_MAX_MS = 500 };

/* --- from other threads --- */

void http_loop_wake(struct http_loop *loop)
{
        uint64_t one = 1;
        ssize_t written = write(loop->wake_fd, &one, sizeof(one)); /* edge-triggered: never read, never full */
        (void)written;
}

void http_loop_give_back(struct http_loop *loop, struct http_connection *c)
{
        struct http_connection *first = atomic_load_explicit(&loop->returned, memory_order_relaxed);
        do {
                c->queued_next = first;
        } while (!atomic_compare_exchange_weak_explicit(&loop->returned, &first, c, memory_order_release,
                                                        memory_order_relaxed));
        if (first == NULL) { /* otherwise the loop was already woken */
                http_loop_wake(loop);
        }
}

/* --- the lists --- */

static struct http_connection *take_returned(struct http_loop *loop)
{
        return atomic_load_explicit(&loop->returned, memory_order_acquire) == NULL
                   ? NULL
                   : atomic_exchange_explicit(&loop->returned, NULL, memory_order_acquire);
}

static void work_on_returned(struct http_loop *loop)
{
        struct http_connection *c = take_returned(loop);
        while (c != NULL) {
                struct http_connection *next = c->queued_next; /* c may end or be given back again */
                http_connection_returned(c);
                c = next;
        }
}

void http_loop_take_returned(struct http_loop *loop)
{
        struct http_connection *c = take_returned(loop);
        while (c != NULL) {
                struct http_connection *next = c->queued_next;
                atomic_store(&c->owner, HTTP_OWNER_IO);
                c = next;
        }
}

void http_loop_add_ready(struct http_loop *loop, struct http_connection *c)
{
        c->ready = true;
        c->queued_next = loop->ready;
        loop->ready = c;
}

static void work_on_ready(struct http_loop *loop)
{
        struct http_connection *c = loop->ready;
        loop->ready = NULL;
        while (c != NULL) {
                struct http_connection *next = c->queued_next;
                c->ready = false;
                http_connection_work(c);
                c = next;
        }
}

/* --- accepting --- */

static void accept_start(struct http_loop *loop)
{
        struct epoll_event event = {.events = EPOLLIN | EPOLLEXCLUSIVE, .data.ptr = loop->server};
        loop->accepting = epoll_ctl(loop->epoll_fd, EPOLL_CTL_ADD, loop->server->listen_fd, &event) == 0;
}

static void accept_stop(struct http_loop *loop)
{
        if (loop->accepting) {
                epoll_ctl(loop->epoll_fd, EPOLL_CTL_DEL, loop->server->listen_fd, NULL);
                loop->accepting = false;
        }
}

static bool none_left(int why)
{
        return why == EMFILE || why == ENFILE || why == ENOBUFS || why == ENOMEM;
}

/* Rejects clients waiting to be accepted, using the reserve descriptor: otherwise they would wait forever. Then the
 * listening socket is ignored until the next tick, as it would wake us again at once. */
static void turn_away(struct http_loop *loop)
{
        if (!loop->exhausted_said) {
                loop->exhausted_said = true;
                log_event(LOG_LEVEL_WARN, "out of file descriptors: new connections are rejected",
                          LOG_STR("sonet.server", loop->server->options.name));
        }
        if (loop->spare_fd >= 0) {
                close(loop->spare_fd);
        }
        for (int i = 0, fd;
             i < ACCEPTS_AT_ONCE && (fd = accept4(loop->server->listen_fd, NULL, NULL, SOCK_CLOEXEC)) >= 0; i++) {
                close(fd);
        }
        loop->spare_fd = open("/dev/null", O_RDONLY | O_CLOEXEC);
        loop->exhausted = true;
        accept_stop(loop);
}

static void accepted(struct http_loop *loop)
{
        if (loop->exhausted_said) {
                loop->exhausted_said = false;
                log_event(LOG_LEVEL_INFO, "accepting connections again",
                          LOG_STR("sonet.server", loop->server->options.name));
        }
        if (loop->spare_fd < 0) {
                loop->spare_fd = open("/dev/null", O_RDONLY | O_CLOEXEC);
        }
}

static void accept_some(struct http_loop *loop)
{
        struct http_server *server = loop->server;
        for (int i = 0; i < ACCEPTS_AT_ONCE; i++) {
                struct sockaddr_storage address = {0};
                socklen_t len = sizeof(address);
                int fd = accept4(server->listen_fd, (struct sockaddr *)&address, &len, SOCK_NONBLOCK | SOCK_CLOEXEC);
                if (fd < 0) {
                        if (none_left(errno)) {
                                turn_away(loop);
                        }
                        return;
                }
                accepted(loop);
                if (atomic_load_explicit(&server->n_connections, memory_order_relaxed) <
                    server->options.max_connections + HTTP_REFUSED_CONNECTIONS_MAX) {
                        http_connection_new(loop, fd, &address);
                } else {
                        close(fd);
                }
        }
}

/* --- the thread --- */

static int wait_ms(const struct http_loop *loop)
{
        if (loop->ready != NULL || atomic_load(&loop->server->quit)) {
                return 0;
        }
        if (loop->connections == NULL && !loop->exhausted) {
                return -1;
        }
        int64_t left_us = http_wheel_next_us(&loop->wheel) - clock_monotonic_us();
        return left_us <= 0 ? 0 : (int)((left_us + 999) / 1000);
}

/* The source of a response, distinguished from sockets by the lowest bit (http_connection_source). */
static bool is_source(const struct epoll_event *event)
{
        return ((uintptr_t)event->data.ptr & 1) != 0;
}

static void tell_of_sources(struct epoll_event *events, int n)
{
        for (int i = 0; i < n; i++) {
                if (is_source(&events[i])) {
                        http_connection_source_event((void *)((char *)events[i].data.ptr - 1));
                }
        }
}

static void wait_and_work(struct http_loop *loop)
{
        struct epoll_event events[EVENTS_AT_ONCE];
        int n = epoll_wait(loop->epoll_fd, events, EVENTS_AT_ONCE, wait_ms(loop));
        loop->now_us = clock_monotonic_us();
        tell_of_sources(events, n);
        for (int i = 0; i < n; i++) {
                if (is_source(&events[i])) {
                        continue;
                }
                if (events[i].data.ptr == loop->server) {
                        accept_some(loop);
                } else if (events[i].data.ptr != loop) { /* the wake-up descriptor */
                        http_connection_event(events[i].data.ptr, events[i].events);
                }
        }
        http_loop_take_arrived(loop, true);
        work_on_returned(loop);
        http2_take_answered(loop);
        http_loop_run_posted(loop);
        http_sinks_resume(loop);
        work_on_ready(loop);
        http_unread_check(loop);
        if (loop->now_us >= http_wheel_next_us(&loop->wheel)) {
                http_wheel_turn(&loop->wheel, loop->now_us, http_deadline_due);
                if (loop->exhausted) {
                        loop->exhausted = false;
                        accept_start(loop);
                }
        }
}

static void tell_stopping(struct http_loop *loop)
{
        if (!loop->told_stopping) {
                loop->told_stopping = true;
                http2_stop(loop);
                http_upgrade_stop(loop);
        }
}

void *http_loop_main(void *arg)
{
        struct http_loop *loop = arg;
        char name[16];
        snprintf(name, sizeof(name), "%.11s-io", loop->server->options.name);
        pthread_setname_np(pthread_self(), name);
        log_from_event_loop();
        accept_start(loop);
        while (!atomic_load(&loop->server->quit)) {
                wait_and_work(loop);
                if (atomic_load(&loop->server->stopping)) {
                        loop->exhausted = false;
                        accept_stop(loop);
                        tell_stopping(loop);
                }
        }
        /* Connections that arrived meanwhile are told that the server is stopping, instead of being reset. */
        wait_and_work(loop);
        http_connection_end_all(loop);
        http2_abandon_held(loop);
        return NULL;
}

static int64_t tick_us(const struct http_options *options)
{
        int ms = options->slow_client_ms / 20;
        return (ms < TICK_MIN_MS ? TICK_MIN_MS : ms > TICK_MAX_MS ? TICK_MAX_MS : ms) * INT64_C(1000);
}

bool http_loop_init(struct http_server *server, struct http_loop *loop)
{
        struct epoll_event event = {.events = EPOLLIN | EPOLLET, .data.ptr = loop};
        loop->server = server;
        loop->now_us = clock_monotonic_us();
        http_wheel_init(&loop->wheel, tick_us(&server->options), loop->now_us);
        loop->scratch_bytes = server->options.max_header_bytes + READ_AHEAD_BYTES;
        loop->scratch = malloc(loop->scratch_bytes);
        loop->frames = malloc(HTTP2_SEND_BYTES + HTTP2_FRAME_BYTES);
        loop->epoll_fd = epoll_create1(EPOLL_CLOEXEC);
        loop->wake_fd = eventfd(0, EFD_NONBLOCK | EFD_CLOEXEC);
        loop->spare_fd = open("/dev/null", O_RDONLY | O_CLOEXEC);
        return loop->scratch != NULL && loop->frames != NULL && loop->epoll_fd >= 0 && loop->wake_fd >= 0 &&
               epoll_ctl(loop->epoll_fd, EPOLL_CTL_ADD, loop->wake_fd, &event) == 0;
}

void http_loop_free(struct http_loop *loop)
{
        free(loop->scratch);
        free(loop->frames);
        if (loop->epoll_fd >= 0) {
                close(loop->epoll_fd);
        }
        if (loop->wake_fd >= 0) {
                close(loop->wake_fd);
        }
        if (loop->spare_fd >= 0) {
                close(loop->spare_fd);
        }
}
