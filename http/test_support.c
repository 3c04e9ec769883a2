/* The server and the client of the tests. */
#include "http/test_support.h"

#include <arpa/inet.h>
#include <errno.h>
#include <linux/sockios.h>
#include <netinet/in.h>
#include <netinet/tcp.h>
#include <pthread.h>
#include <sched.h>
#include <stdatomic.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <strings.h>
#include <sys/ioctl.h>
#include <sys/socket.h>
#include <sys/time.h>
#include <unistd.h>

#include "base/clock.h"
#include "base/metrics.h"
#include "base/workers.h"

static struct workers *pool;
static pthread_mutex_t gate_lock = PTHREAD_MUTEX_INITIALIZER;
static pthread_cond_t gate = PTHREAD_COND_INITIALIZER;
static bool gate_open;
static int n_blocked;

struct job {
        struct work work;
        struct http_request *request;
};

static void fill(struct http_request *r, struct http_response *response)
{
        struct buf *b = &response->body;
        const char *note = http_request_header(r, "X-Note");
        *response = (struct http_response){.status = 200};
        buf_init(b, 64 << 20);
        http_response_header(response, "Content-Type", "text/plain");
        if (strcmp(r->path, "/big") == 0) {
                buf_reserve(b, 20 << 20);
                memset(b->data, 'b', 20 << 20);
                b->len = 20 << 20;
        } else if (strcmp(r->path, "/page") == 0) {
                buf_reserve(b, FIXTURE_PAGE_BYTES);
                memset(b->data, 'p', FIXTURE_PAGE_BYTES);
                b->len = FIXTURE_PAGE_BYTES;
        } else if (strcmp(r->path, "/empty") == 0) {
                response->status = 204;
        } else if (strcmp(r->path, "/unchanged") == 0) {
                response->status = 304;
        } else if (strcmp(r->path, "/inject") == 0) {
                http_response_header(response, "X-Bad", "a\r\nX-Smuggled: yes");
                http_response_header(response, "X-Good", "yes");
        } else if (strcmp(r->path, "/overflow") == 0) {
                b->max_bytes = 3;
                buf_append_c(b, "too much");
        } else {
                buf_printf(b, "%s %s?%.*s [%s] note=%s %zu:", r->method, r->path, (int)r->query.len, r->query.ptr,
                           r->peer, note == NULL ? "" : note, r->body.len);
                buf_append(b, r->body.ptr, r->body.len);
        }
}

static void block(void)
{
        pthread_mutex_lock(&gate_lock);
        n_blocked++;
        while (!gate_open) {
                pthread_cond_wait(&gate, &gate_lock);
        }
        n_blocked--;
        pthread_mutex_unlock(&gate_lock);
}

static void answer_request(struct work *work, bool expired)
{
        struct job *job = (struct job *)work;
        struct http_response response;
        if (strcmp(job->request->path, "/block") == 0) {
                block();
        }
        fill(job->request, &response);
        http_respond(job->request, &response);
}

static bool take(struct http_request *r, struct str piece, struct http_response *early)
{
        early->status = 503;
        return http_spool_add(r, piece.len);
}

static bool on_headers(void *context, struct http_request *r, size_t *max_body, struct http_response *early)
{
        if (strcmp(r->path, "/limit") == 0) {
                *max_body = 100;
        } else if (strcmp(r->path, "/big-body") == 0) {
                *max_body = 8 << 20;
        } else if (strcmp(r->path, "/refuse") == 0) {
                early->status = 404;
                buf_append_c(&early->body, "not here");
                return false;
        } else if (strcmp(r->path, "/spool") == 0) {
                static const struct http_sink sink = {.take = take, .stall_ms = 30000};
                int64_t length = 0;
                (void)str_to_i64(str_of(http_request_header(r, "Content-Length")), &length);
                *max_body = SIZE_MAX;
                r->sink = &sink;
                early->status = 503;
                return http_spool_begin(r, length);
        }
        return true;
}

static bool on_request(void *context, struct http_request *r, struct http_response *early)
{
        static _Atomic int answered;
        if (strcmp(r->path, "/hold") == 0) {
                block();
                early->status = 200;
                buf_printf(&early->body, "%d", answered++);
                return false;
        }
        if (strcmp(r->path, "/inline") == 0) {
                early->status = 503;
                buf_append_c(&early->body, "full");
                return false;
        }
        struct job *job = ARENA_NEW(r->arena, struct job);
        *job = (struct job){{.run = answer_request}, r};
        if (!workers_submit(pool, &job->work)) {
                early->status = 503;
                return false;
        }
        return true;
}

static void on_refusal(void *context, struct http_request *r, int status, const char *detail,
                       struct http_response *response)
{
        http_response_header(response, "Content-Type", "application/problem+json");
        buf_printf(&response->body, "refused %d: %s", status, detail);
}

struct http_options fixture_options(void)
{
        return (struct http_options){.name = "http",
                                     .io_threads = 2,
                                     .max_connections = 5000,
                                     .max_streams = 100,
                                     .window_bytes = 65535,
                                     .max_header_bytes = 8192,
                                     .arena_bytes = 1 << 20,
                                     .slow_client_ms = 10000,
                                     .idle_ms = 60000,
                                     .unread_bytes = 1 << 30};
}

void fixture_start_handlers(struct fixture *f, const struct http_options *options, const struct http_handlers *handlers)
{
        struct http_options o = *options;
        CLEANUP(buf_free) struct buf error;
        buf_init(&error, 1000);
        o.address = "127.0.0.1";
        o.port = 0;
        if (http_server_start(&o, handlers, &f->server, &error) != SN_OK) {
                fail_msg("%s", error.data);
        }
        f->port = http_server_port(f->server);
        assert_true(f->port > 0);
}

void fixture_start(struct fixture *f, const struct http_options *options)
{
        struct http_options o = options == NULL ? fixture_options() : *options;
        gate_open = false;
        n_blocked = 0;
        pool = workers_new("test", 4, 1000);
        assert_non_null(pool);
        fixture_start_handlers(f, &o, &(struct http_handlers){on_headers, on_request, on_refusal, NULL});
}

void fixture_start_limits(struct fixture *f, int slow_client_ms, int idle_ms)
{
        struct http_options o = fixture_options();

        o.slow_client_ms = slow_client_ms;
        o.idle_ms = idle_ms;
        fixture_start(f, &o);
}

void fixture_release(void)
{
        pthread_mutex_lock(&gate_lock);
        gate_open = true;
        pthread_cond_broadcast(&gate);
        pthread_mutex_unlock(&gate_lock);
}

static int blocked_now(void)
{
        pthread_mutex_lock(&gate_lock);
        int n = n_blocked;
        pthread_mutex_unlock(&gate_lock);
        return n;
}

void fixture_wait_blocked(int n)
{
        WAIT_UNTIL(blocked_now() == n);
}

int64_t fixture_slow_clients(void)
{
        return metric_value(metric_counter("sonet_http_slow_clients_total", "", NULL));
}

int64_t fixture_connections(void)
{
        return metric_value(metric_gauge("sonet_http_connections", "", NULL));
}

void fixture_stop(struct fixture *f)
{
        fixture_release();
        http_server_stop(f->server, 5000);
        workers_free(pool);
        pool = NULL;
}

/* --- the client --- */

int client_try(const struct fixture *f)
{
        struct sockaddr_in a = {
            .sin_family = AF_INET, .sin_port = htons((uint16_t)f->port), .sin_addr.s_addr = htonl(INADDR_LOOPBACK)};
        struct timeval limit = {.tv_sec = 20}; /* a hung test must end */
        int fd = socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC, 0), on = 1;
        assert_true(fd >= 0);
        setsockopt(fd, IPPROTO_TCP, TCP_NODELAY, &on, sizeof(on));
        setsockopt(fd, SOL_SOCKET, SO_RCVTIMEO, &limit, sizeof(limit));
        setsockopt(fd, SOL_SOCKET, SO_SNDTIMEO, &limit, sizeof(limit));
        if (connect(fd, (struct sockaddr *)&a, sizeof(a)) != 0) {
                close(fd);
                return -1;
        }
        return fd;
}

int client_open(const struct fixture *f)
{
        int fd = client_try(f);
        assert_true(fd >= 0);
        return fd;
}

void client_send(int fd, const char *bytes, size_t len)
{
        while (len > 0) {
                ssize_t n = send(fd, bytes, len, MSG_NOSIGNAL);
                if (n < 0) {
                        assert_true(errno == EPIPE || errno == ECONNRESET);
                        return;
                }
                bytes += n;
                len -= (size_t)n;
        }
}

void client_send_text(int fd, const char *text)
{
        client_send(fd, text, strlen(text));
}

void client_wait_taken(int fd)
{
        int waiting = 0;
        do {
                sched_yield();
                assert_int_equal(ioctl(fd, SIOCOUTQ, &waiting), 0);
        } while (waiting > 0);
}

/* False at the end of the connection. */
static bool read_byte(int fd, char *c)
{
        ssize_t n = recv(fd, c, 1, 0);
        if (n < 0 && errno != ECONNRESET) {
                fail_msg("the server does not answer: %s", strerror(errno));
        }
        return n == 1;
}

bool reply_has(const struct reply *r, const char *header_line)
{
        const char *at = strcasestr(r->head, header_line);
        return at != NULL && at[-1] == '\n' && at[strlen(header_line)] == '\r';
}

static void read_body(int fd, struct reply *r)
{
        const char *length = strcasestr(r->head, "\nContent-Length: ");
        r->body_len = length == NULL ? 0 : strtoul(length + 17, NULL, 10);
        r->body = calloc(1, r->body_len + 1);
        for (size_t got = 0; got < r->body_len;) {
                ssize_t n = recv(fd, r->body + got, r->body_len - got, 0);
                if (n <= 0) {
                        fail_msg("the body ends after %zu of %zu bytes", got, r->body_len);
                }
                got += (size_t)n;
        }
}

void client_read(int fd, struct reply *r, bool head_only)
{
        size_t n = 0;
        *r = (struct reply){0};
        while (n < 4 || memcmp(r->head + n - 4, "\r\n\r\n", 4) != 0) {
                assert_true(n + 1 < sizeof(r->head));
                if (!read_byte(fd, &r->head[n])) {
                        assert_int_equal(n, 0);
                        return;
                }
                n++;
        }
        assert_memory_equal(r->head, "HTTP/1.1 ", 9);
        r->status = (int)strtol(r->head + 9, NULL, 10);
        if (!head_only && r->status != 204 && r->status >= 200) {
                read_body(fd, r);
        }
}

void reply_free(struct reply *r)
{
        free(r->body);
        r->body = NULL;
}

void client_expect(int fd, int status, const char *body)
{
        struct reply r;
        client_read(fd, &r, false);
        if (r.status != status) {
                fail_msg("expected %d, got %s%s", status, r.head, r.body == NULL ? "" : r.body);
        }
        if (body != NULL) {
                assert_string_equal(r.body, body);
        }
        reply_free(&r);
}

void client_expect_end(int fd)
{
        char c;
        if (read_byte(fd, &c)) {
                fail_msg("the server sent '%c' instead of closing", c);
        }
        close(fd);
}

void client_reset(int fd)
{
        struct linger hard = {.l_onoff = 1, .l_linger = 0};
        setsockopt(fd, SOL_SOCKET, SO_LINGER, &hard, sizeof(hard));
        close(fd);
}
