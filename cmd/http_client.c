/* Owns the plain-socket client: every wait has a deadline, and a response has a maximum size. */
#include "cmd/http_client.h"

#include <errno.h>
#include <netdb.h>
#include <netinet/in.h>
#include <netinet/tcp.h>
#include <poll.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <strings.h>
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

static bool resolve_address(const char *address, int port, struct sockaddr_storage *out, socklen_t *len)
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
        if (!resolve_address(address, port, &target->address, &target->address_len)) {
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

        if (!resolve_address(address, port, &where, &len)) {
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

/* To the end of the connection: the request has `Connection: close`. */
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

/* The status of "HTTP/1.1 200 OK…"; leaves only the body in the buffer. */
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

int http_exchange(const struct http_target *target, const char *method, const char *path, const char *json,
                  int timeout_ms, struct buf *answer)
{
        int64_t until_us = clock_monotonic_us() + timeout_ms * INT64_C(1000);
        CLEANUP(buf_free) struct buf request;
        CLEANUP(close_p) int fd = socket(target->address.ss_family, SOCK_STREAM | SOCK_NONBLOCK | SOCK_CLOEXEC, 0);

        buf_init(&request, 16384);
        buf_printf(&request, "%s %s HTTP/1.1\r\nHost: %s:%d\r\nConnection: close\r\n", method, path, target->host,
                   target->port);
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

bool http_target_parse(struct http_target *target, const char *url)
{
        static const char scheme[] = "http://";
        char address[64];
        int64_t port = 80;
        size_t skip = sizeof(scheme) - 1;

        if (strncasecmp(url, scheme, skip) != 0) {
                return false;
        }
        struct str rest = str_of(url + skip);
        while (rest.len > 0 && rest.ptr[rest.len - 1] == '/') {
                rest.len--;
        }
        bool six = rest.len > 0 && rest.ptr[0] == '[';
        const char *end = memchr(rest.ptr, six ? ']' : ':', rest.len);
        size_t len = end != NULL ? (size_t)(end - rest.ptr) : rest.len;
        struct str tail = {rest.ptr + len, rest.len - len};
        if (six) {
                if (end == NULL) {
                        return false;
                }
                rest.ptr++;
                len--;
                tail = (struct str){end + 1, tail.len - 1};
        }
        if (len == 0 || len >= sizeof(address)) {
                return false;
        }
        memcpy(address, rest.ptr, len);
        address[len] = '\0';
        if (tail.len > 0 && (tail.ptr[0] != ':' || !str_to_i64((struct str){tail.ptr + 1, tail.len - 1}, &port) ||
                             port < 1 || port > 65535)) {
                return false;
        }
        return http_target_set(target, address, (int)port);
}

void http_connection_init(struct http_connection *connection, const struct http_target *target)
{
        *connection = (struct http_connection){target, -1};
}

void http_connection_close(struct http_connection *connection)
{
        close_p(&connection->fd);
        connection->fd = -1;
}

static bool connection_open(struct http_connection *connection, int64_t until_us)
{
        int on = 1;

        connection->fd = socket(connection->target->address.ss_family, SOCK_STREAM | SOCK_NONBLOCK | SOCK_CLOEXEC, 0);
        if (connection->fd >= 0 && connect_until(connection->fd, connection->target, until_us)) {
                setsockopt(connection->fd, IPPROTO_TCP, TCP_NODELAY, &on, sizeof(on));
                return true;
        }
        http_connection_close(connection);
        return false;
}

static bool write_request(struct buf *out, const struct http_target *target, const struct http_ask *ask)
{
        buf_printf(out, "%s %s HTTP/1.1\r\nHost: %s:%d\r\n", ask->method, ask->path, target->host, target->port);
        if (ask->bearer != NULL) {
                buf_printf(out, "Authorization: Bearer %s\r\n", ask->bearer);
        }
        if (ask->key != NULL) {
                buf_printf(out, "Idempotency-Key: %s\r\n", ask->key);
        }
        if (ask->json != NULL) {
                buf_printf(out, "Content-Type: application/json\r\nContent-Length: %zu\r\n", strlen(ask->json));
        }
        buf_append_c(out, "\r\n");
        buf_append_c(out, ask->json != NULL ? ask->json : "");
        return !out->overflow;
}

/* The head of a response. */
struct head {
        int status;
        size_t bytes; /* of the head */
        int64_t body_bytes;
        int64_t retry_after_s;
        bool close;
};

/* False if the line is malformed. */
static bool read_header(struct str line, struct head *head)
{
        struct str name = {0};

        if (!str_next(&line, ':', &name)) {
                return true;
        }
        struct str value = str_trim(line);
        if (str_equal_nocase(name, STR("content-length"))) {
                return str_to_i64(value, &head->body_bytes) && head->body_bytes >= 0;
        }
        if (str_equal_nocase(name, STR("retry-after"))) {
                str_to_i64(value, &head->retry_after_s);
        } else if (str_equal_nocase(name, STR("connection"))) {
                head->close = str_equal_nocase(value, STR("close"));
        }
        return !str_equal_nocase(name, STR("transfer-encoding"));
}

static bool read_head(struct str text, struct head *head)
{
        static const char version[] = "HTTP/1.1 ";
        struct str line = {0};
        int64_t status = -1;

        *head = (struct head){.bytes = text.len, .retry_after_s = -1};
        if (text.len < sizeof(version) + 3 || memcmp(text.ptr, version, sizeof(version) - 1) != 0 ||
            !str_to_i64((struct str){text.ptr + sizeof(version) - 1, 3}, &status)) {
                return false;
        }
        head->status = (int)status;
        for (str_next(&text, '\n', &line); str_next(&text, '\n', &line);) {
                line.len -= line.len > 0 && line.ptr[line.len - 1] == '\r';
                if (!read_header(line, head)) {
                        return false;
                }
        }
        return true;
}

/* Reads one more piece into the buffer; false on timeout, or if the peer has closed. */
static bool receive_some(int fd, struct buf *in, int64_t until_us)
{
        for (;;) {
                if (!buf_reserve(in, 16384)) {
                        return false;
                }
                ssize_t n = recv(fd, in->data + in->len, 16384, 0);
                if (n > 0) {
                        in->len += (size_t)n;
                        in->data[in->len] = '\0';
                        return true;
                }
                if (n == 0 || (errno != EINTR && (errno != EAGAIN || !wait_until(fd, POLLIN, until_us)))) {
                        return false;
                }
        }
}

static bool receive_reply(struct http_connection *connection, struct http_reply *reply, int64_t until_us,
                          struct head *head)
{
        struct buf *in = &reply->body;
        const char *end = NULL;

        while (end == NULL) {
                if (!receive_some(connection->fd, in, until_us)) {
                        return false;
                }
                end = memmem(in->data, in->len, "\r\n\r\n", 4);
        }
        if (!read_head((struct str){in->data, (size_t)(end + 4 - in->data)}, head)) {
                return false;
        }
        while (in->len < head->bytes + (size_t)head->body_bytes) {
                if (!receive_some(connection->fd, in, until_us)) {
                        return false;
                }
        }
        return in->len == head->bytes + (size_t)head->body_bytes;
}

/* Reads the head; status -1 on failure. *silent: nothing was received. */
static struct head exchange_once(struct http_connection *connection, const struct buf *request, int64_t until_us,
                                 struct http_reply *reply, bool *silent)
{
        struct head head = {.status = -1};

        buf_reset(&reply->body);
        if ((connection->fd < 0 && !connection_open(connection, until_us)) ||
            !send_until(connection->fd, request, until_us) || !receive_reply(connection, reply, until_us, &head)) {
                head = (struct head){.status = -1, .close = true};
        }
        *silent = reply->body.len == 0;
        if (head.close) {
                http_connection_close(connection);
        }
        return head;
}

int http_connection_exchange(struct http_connection *connection, const struct http_ask *ask, int timeout_ms,
                             struct http_reply *reply)
{
        int64_t until_us = clock_monotonic_us() + timeout_ms * INT64_C(1000);
        CLEANUP(buf_free) struct buf request;
        bool kept = connection->fd >= 0;
        bool silent = false;

        buf_init(&request, 1024 * 1024);
        reply->retry_after_s = -1;
        if (!write_request(&request, connection->target, ask)) {
                return -1;
        }
        struct head head = exchange_once(connection, &request, until_us, reply, &silent);
        if (head.status < 0 && kept && silent && clock_monotonic_us() < until_us) {
                head = exchange_once(connection, &request, until_us, reply, &silent);
        }
        if (head.status < 0) {
                return -1;
        }
        memmove(reply->body.data, reply->body.data + head.bytes, (size_t)head.body_bytes);
        reply->body.len = (size_t)head.body_bytes;
        reply->body.data[reply->body.len] = '\0';
        reply->retry_after_s = head.retry_after_s;
        return head.status;
}
