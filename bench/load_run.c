/* Owns the connections: each has one request in flight until all are answered or the time is up. */
#include "bench/load.h"

#include <errno.h>
#include <fcntl.h>
#include <netinet/tcp.h>
#include <stdlib.h>
#include <string.h>
#include <strings.h>
#include <sys/epoll.h>
#include <sys/socket.h>
#include <unistd.h>

static void fail(struct connection *c, const char *why)
{
        load.failed++;
        load.classes[load.requests[c->request].class].failed++;
        if (load.first_failure[0] == '\0') {
                int shown = c->filled > 600 ? 600 : (int)c->filled;
                const char *line = load.requests[c->request].bytes;
                snprintf(load.first_failure, sizeof(load.first_failure), "%.60s: %s; got: %.*s", line, why, shown,
                         c->buffer);
        }
}

static void disconnect(struct connection *c)
{
        if (c->fd >= 0) {
                close(c->fd);
                c->fd = -1;
        }
}

static bool reconnect(struct connection *c)
{
        int on = 1;

        disconnect(c);
        c->fd = socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC, 0);
        if (c->fd < 0 || connect(c->fd, (struct sockaddr *)&load.address, sizeof(load.address)) != 0) {
                return false;
        }
        setsockopt(c->fd, IPPROTO_TCP, TCP_NODELAY, &on, sizeof(on));
        fcntl(c->fd, F_SETFL, O_NONBLOCK);
        struct epoll_event event = {.events = EPOLLIN, .data.ptr = c};
        return epoll_ctl(load.epoll, EPOLL_CTL_ADD, c->fd, &event) == 0;
}

/* Requests fit into a socket's buffer; if one is not sent in one call, wait until it is. */
static bool send_request(struct connection *c)
{
        const struct request *r = &load.requests[c->request];

        for (c->sent = 0; c->sent < r->len;) {
                ssize_t n = send(c->fd, r->bytes + c->sent, r->len - c->sent, MSG_NOSIGNAL);
                if (n > 0) {
                        c->sent += (size_t)n;
                } else if (errno != EAGAIN && errno != EINTR) {
                        return false;
                }
        }
        return true;
}

/* The next request; false if there is none left or the time is up. */
static bool begin(struct connection *c)
{
        if (load.once ? load.next >= load.n_requests : load_now_ns() >= load.end_ns) {
                return false;
        }
        c->request = load_choose_request();
        c->filled = c->head_bytes = c->body_bytes = 0;
        c->resume_ns = 0;
        for (int tries = 0; tries < 2; tries++) {
                c->start_ns = load_now_ns();
                if ((c->fd >= 0 || reconnect(c)) && send_request(c)) {
                        return true;
                }
                disconnect(c);
        }
        load_die("connection", strerror(errno));
}

static bool header_is(const char *line, const char *name)
{
        return strncasecmp(line, name, strlen(name)) == 0;
}

/* 1: the head is complete, 0: not yet, -1: it is malformed. */
static int read_head(struct connection *c)
{
        char *end = memmem(c->buffer, c->filled, "\r\n\r\n", 4);

        if (end == NULL) {
                return 0;
        }
        if (c->filled < 12 || memcmp(c->buffer, "HTTP/1.1 ", 9) != 0) {
                return -1;
        }
        c->status = (int)strtol(c->buffer + 9, NULL, 10);
        c->close = false;
        c->retry_s = 0;
        bool sized = c->status == 204;
        for (char *line = strstr(c->buffer, "\r\n"); line != NULL && line < end; line = strstr(line + 2, "\r\n")) {
                if (header_is(line + 2, "content-length:")) {
                        c->body_bytes = strtoul(line + 2 + 15, NULL, 10);
                        sized = true;
                } else if (header_is(line + 2, "retry-after:")) {
                        c->retry_s = (unsigned)strtoul(line + 2 + 12, NULL, 10);
                } else if (header_is(line + 2, "connection: close")) {
                        c->close = true;
                }
        }
        c->head_bytes = (size_t)(end + 4 - c->buffer);
        return sized && c->head_bytes + c->body_bytes < BUFFER_BYTES ? 1 : -1;
}

/* A complete response has arrived. */
static void finish(struct connection *c)
{
        const struct request *r = &load.requests[c->request];
        struct class *class = &load.classes[r->class];
        uint64_t ns = load_now_ns() - c->start_ns;
        const char *wrong = c->filled != c->head_bytes + c->body_bytes ? "more bytes than said" : NULL;

        if (c->status != (r->status == 0 ? 200 : r->status)) {
                wrong = "another status";
        }
        if (wrong == NULL) {
                wrong = load_check_body(r, c->request, c->buffer + c->head_bytes, c->body_bytes);
        }
        if (wrong != NULL) {
                fail(c, wrong);
        } else {
                load_keep_latency(&class->latencies, ns);
        }
        class->bytes += c->body_bytes;
        if (c->close) {
                disconnect(c);
        }
        if (load.patient && c->retry_s > 0) {
                c->resume_ns = load_now_ns() + c->retry_s * UINT64_C(1000000000);
        } else if (!begin(c)) {
                load.busy--;
        }
}

/* Connections that have waited long enough continue; at the end all do, to notice that it is over. */
static void resume(void)
{
        uint64_t now_ns = load_now_ns();

        for (size_t i = 0; i < load.n_connections; i++) {
                struct connection *c = &load.connections[i];

                if (c->resume_ns != 0 && (now_ns >= c->resume_ns || now_ns >= load.end_ns)) {
                        c->resume_ns = 0;
                        load.busy -= !begin(c);
                }
        }
}

static void lose(struct connection *c, const char *why)
{
        fail(c, why);
        disconnect(c);
        if (!begin(c)) {
                load.busy--;
        }
}

static void receive(struct connection *c)
{
        ssize_t n = recv(c->fd, c->buffer + c->filled, BUFFER_BYTES - 1 - c->filled, 0);

        if (n <= 0) {
                if (n == 0 || (errno != EAGAIN && errno != EINTR)) {
                        lose(c, n == 0 ? "the connection was closed" : strerror(errno));
                }
                return;
        }
        c->filled += (size_t)n;
        c->buffer[c->filled] = '\0';
        if (c->head_bytes == 0 && read_head(c) < 0) {
                lose(c, "the head is broken");
                return;
        }
        if (c->head_bytes > 0 && c->filled >= c->head_bytes + c->body_bytes) {
                finish(c);
        }
}

void load_run(void)
{
        struct epoll_event events[256];

        load.epoll = epoll_create1(EPOLL_CLOEXEC);
        load.connections = load_must(calloc(load.n_connections, sizeof(*load.connections)));
        load.end_ns = load_now_ns() + (uint64_t)(load.seconds * 1e9);
        for (size_t i = 0; i < load.n_connections; i++) {
                struct connection *c = &load.connections[i];
                c->fd = -1;
                c->buffer = load_must(malloc(BUFFER_BYTES));
                load.busy += begin(c);
        }
        while (load.busy > 0) {
                int n = epoll_wait(load.epoll, events, 256, load.patient ? 100 : 1000);
                for (int i = 0; i < n; i++) {
                        receive(events[i].data.ptr);
                }
                if (load.patient) {
                        resume();
                }
                if (n == 0 && load_now_ns() > load.end_ns + STALL_NS && !load.once) {
                        load_die("responses", "some never came");
                }
        }
}
