/* Owns the plain-socket client of `sonet up`: every wait has a deadline, and an answer has a maximum. */
#include "cmd/http_client.h"

#include <errno.h>
#include <netdb.h>
#include <netinet/in.h>
#include <poll.h>
#include <stdio.h>
#include <string.h>
#include <unistd.h>
#include "base/clock.h"
#include "base/status.h"
#include "base/str.h"

static void close_p(int *fd)
{
        if (*fd >= 0) {
                close(*fd);
        }
}

static bool resolve(const char *address, int port, struct sockaddr_storage *out, socklen_t *len)
{
        struct addrinfo hints = {.ai_flags = AI_NUMERICHOST | AI_NUMERICSERV, .ai_socktype = SOCK_STREAM};
        struct addrinfo *found = NULL;
        char service[8];

        snprintf(service, sizeof(service), "%d", port);
        if (getaddrinfo(strcmp(address, "localhost") == 0 ? "127.0.0.1" : address, service, &hints, &found) != 0) {
                return false;
        }
        memcpy(out, found->ai_addr, found->ai_addrlen);
        *len = found->ai_addrlen;
        freeaddrinfo(found);
        return true;
}

bool http_target_set(struct http_target *target, const char *address, int port)
{
        if (!resolve(address, port, &target->address, &target->address_len)) {
                return false;
        }
        target->port = port;
        if (target->address.ss_family == AF_INET6) {
                struct sockaddr_in6 *six = (struct sockaddr_in6 *)&target->address;
                bool any = IN6_IS_ADDR_UNSPECIFIED(&six->sin6_addr);
                six->sin6_addr = any ? in6addr_loopback : six->sin6_addr;
                snprintf(target->host, sizeof(target->host), "[%s]", any ? "::1" : address);
                return true;
        }
        struct sockaddr_in *four = (struct sockaddr_in *)&target->address;
        bool any = four->sin_addr.s_addr == htonl(INADDR_ANY);
        if (any) {
                four->sin_addr.s_addr = htonl(INADDR_LOOPBACK);
        }
        snprintf(target->host, sizeof(target->host), "%s", any ? "127.0.0.1" : address);
        return true;
}

bool http_port_is_free(const char *address, int port)
{
        struct sockaddr_storage where;
        socklen_t len = 0;
        int on = 1;

        if (!resolve(address, port, &where, &len)) {
                return false;
        }
        CLEANUP(close_p) int fd = socket(where.ss_family, SOCK_STREAM | SOCK_CLOEXEC, 0);
        return fd >= 0 && setsockopt(fd, SOL_SOCKET, SO_REUSEADDR, &on, sizeof(on)) == 0 &&
               bind(fd, (struct sockaddr *)&where, len) == 0 && listen(fd, 1) == 0;
}

static bool wait_until(int fd, short events, int64_t until_us)
{
        for (;;) {
                int64_t left_ms = (until_us - clock_monotonic_us()) / 1000;
                struct pollfd p = {fd, events, 0};
                int ready = left_ms <= 0 ? 0 : poll(&p, 1, (int)left_ms);
                if (ready > 0) {
                        return true;
                }
                if (ready == 0 || errno != EINTR) {
                        return false;
                }
        }
}

static bool connect_until(int fd, const struct http_target *target, int64_t until_us)
{
        int failed = 0;
        socklen_t len = sizeof(failed);

        if (connect(fd, (const struct sockaddr *)&target->address, target->address_len) == 0) {
                return true;
        }
        return errno == EINPROGRESS && wait_until(fd, POLLOUT, until_us) &&
               getsockopt(fd, SOL_SOCKET, SO_ERROR, &failed, &len) == 0 && failed == 0;
}

static bool send_until(int fd, const struct buf *request, int64_t until_us)
{
        for (size_t sent = 0; sent < request->len;) {
                ssize_t n = send(fd, request->data + sent, request->len - sent, MSG_NOSIGNAL);
                if (n > 0) {
                        sent += (size_t)n;
                } else if (errno != EINTR && (errno != EAGAIN || !wait_until(fd, POLLOUT, until_us))) {
                        return false;
                }
        }
        return true;
}

/* To the end: the request said `Connection: close`. */
static bool receive_until(int fd, struct buf *answer, int64_t until_us)
{
        char chunk[4096];

        for (;;) {
                ssize_t n = recv(fd, chunk, sizeof(chunk), 0);
                if (n == 0) {
                        return !answer->overflow;
                }
                if (n > 0) {
                        buf_append(answer, chunk, (size_t)n);
                } else if (errno != EINTR && (errno != EAGAIN || !wait_until(fd, POLLIN, until_us))) {
                        return false;
                }
        }
}

/* The status of "HTTP/1.1 200 OK…"; leaves the body alone in the buffer. */
static int take_body(struct buf *answer)
{
        static const char version[] = "HTTP/1.1 ";
        int64_t status = -1;
        const char *body = answer->len > 0 ? strstr(answer->data, "\r\n\r\n") : NULL;

        if (body == NULL || strncmp(answer->data, version, sizeof(version) - 1) != 0 ||
            !str_to_i64((struct str){answer->data + sizeof(version) - 1, 3}, &status)) {
                return -1;
        }
        body += 4;
        size_t len = answer->len - (size_t)(body - answer->data);
        memmove(answer->data, body, len);
        answer->data[len] = '\0';
        answer->len = len;
        return (int)status;
}

int http_exchange(const struct http_target *target, const char *method, const char *path, const char *json, int timeout_ms,
                  struct buf *answer)
{
        int64_t until_us = clock_monotonic_us() + timeout_ms * INT64_C(1000);
        CLEANUP(buf_free) struct buf request;
        CLEANUP(close_p) int fd = socket(target->address.ss_family, SOCK_STREAM | SOCK_NONBLOCK | SOCK_CLOEXEC, 0);

        buf_init(&request, 16384);
        buf_printf(&request, "%s %s HTTP/1.1\r\nHost: %s:%d\r\nConnection: close\r\n", method, path, target->host, target->port);
        if (json != NULL) {
                buf_printf(&request, "Content-Type: application/json\r\nContent-Length: %zu\r\n", strlen(json));
        }
        buf_printf(&request, "\r\n%s", json != NULL ? json : "");
        buf_reset(answer);
        if (fd < 0 || request.overflow || !connect_until(fd, target, until_us) || !send_until(fd, &request, until_us) ||
            !receive_until(fd, answer, until_us)) {
                return -1;
        }
        return take_body(answer);
}
