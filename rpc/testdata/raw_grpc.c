/* One call on its own connection, using nghttp2 directly on a blocking socket. */
#include "rpc/testdata/raw_grpc.h"

#include <arpa/inet.h>
#include <netinet/in.h>
#include <nghttp2/nghttp2.h>
#include <poll.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <unistd.h>
#include <zlib.h>

#include "base/clock.h"

struct raw {
        const struct raw_request *request;
        struct raw_answer *answer;
        int fd;
        nghttp2_session *session;
        unsigned char *body;
        size_t len, sent;
        bool over;
};

static void must(bool good, const char *what)
{
        if (!good) {
                fprintf(stderr, "raw gRPC: %s\n", what);
                abort();
        }
}

static void copy_text(const uint8_t *from, size_t len, char *to, size_t size)
{
        len = len < size ? len : size - 1;
        memcpy(to, from, len);
        to[len] = '\0';
}

static int on_header(nghttp2_session *session, const nghttp2_frame *frame, const uint8_t *name, size_t name_len,
                     const uint8_t *value, size_t value_len, uint8_t flags, void *user)
{
        struct raw_answer *answer = ((struct raw *)user)->answer;
        const char *key = (const char *)name; /* ends with NUL */
        if (strcmp(key, "grpc-status") == 0) {
                answer->status = (int)strtol((const char *)value, NULL, 10);
        } else if (strcmp(key, "grpc-message") == 0) {
                copy_text(value, value_len, answer->detail, sizeof(answer->detail));
        } else if (strcmp(key, "sonet-problem-bin") == 0) {
                answer->has_problem = true;
        } else if (strcmp(key, "ratelimit") == 0) {
                copy_text(value, value_len, answer->rate_limit, sizeof(answer->rate_limit));
        } else if (strcmp(key, "ratelimit-policy") == 0) {
                copy_text(value, value_len, answer->rate_limit_policy, sizeof(answer->rate_limit_policy));
        }
        return 0;
}

static int on_data(nghttp2_session *session, uint8_t flags, int32_t id, const uint8_t *bytes, size_t len, void *user)
{
        struct raw_answer *answer = ((struct raw *)user)->answer;
        size_t room = sizeof(answer->message) - answer->message_len;
        memcpy(answer->message + answer->message_len, bytes, len < room ? len : room);
        answer->message_len += len < room ? len : room;
        return 0;
}

static int on_close(nghttp2_session *session, int32_t id, uint32_t code, void *user)
{
        ((struct raw *)user)->over = true;
        return 0;
}

static ssize_t read_body(nghttp2_session *session, int32_t id, uint8_t *into, size_t size, uint32_t *flags,
                         nghttp2_data_source *source, void *user)
{
        struct raw *raw = user;
        const struct raw_request *request = raw->request;
        if (request->hold_at > 0 && raw->sent == request->hold_at) {
                request->held();
        }
        size_t until = raw->sent < request->hold_at ? request->hold_at : raw->len;
        size_t n = until - raw->sent < size ? until - raw->sent : size;
        if (n == 0 && request->never_ends) {
                return NGHTTP2_ERR_DEFERRED;
        }
        memcpy(into, raw->body + raw->sent, n);
        raw->sent += n;
        *flags |= raw->sent == raw->len && !request->never_ends ? NGHTTP2_DATA_FLAG_EOF : 0;
        return (ssize_t)n;
}

static size_t zip(const void *bytes, size_t len, unsigned char *out, size_t size)
{
        z_stream z = {
            .next_in = (unsigned char *)bytes, .avail_in = (unsigned)len, .next_out = out, .avail_out = (unsigned)size};
        must(deflateInit2(&z, 9, Z_DEFLATED, 15 + 16, 8, Z_DEFAULT_STRATEGY) == Z_OK, "no gzip");
        must(deflate(&z, Z_FINISH) == Z_STREAM_END, "gzip needs more room");
        deflateEnd(&z);
        return size - z.avail_out;
}

/* The message after its prefix. */
static void make_body(struct raw *raw)
{
        const struct raw_request *request = raw->request;
        if (request->bytes == NULL) {
                return;
        }
        size_t size = request->len + 1000;
        raw->body = malloc(size);
        must(raw->body != NULL, "no memory");
        size_t len = request->len;
        if (request->framed) {
                memcpy(raw->body, request->bytes, len);
                raw->len = len;
                return;
        }
        if (request->compressed) {
                len = zip(request->bytes, request->len, raw->body + 5, size - 5);
        } else {
                memcpy(raw->body + 5, request->bytes, len);
        }
        raw->len = 5 + len;
        const unsigned char prefix[5] = {request->compressed, (unsigned char)(len >> 24), (unsigned char)(len >> 16),
                                         (unsigned char)(len >> 8), (unsigned char)len};
        memcpy(raw->body, prefix, sizeof(prefix));
}

static void connect_to(struct raw *raw)
{
        struct sockaddr_in address = {.sin_family = AF_INET,
                                      .sin_port = htons((uint16_t)raw->request->port),
                                      .sin_addr.s_addr = htonl(INADDR_LOOPBACK)};
        raw->fd = socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC, 0);
        must(raw->fd >= 0 && connect(raw->fd, (struct sockaddr *)&address, sizeof(address)) == 0, "cannot connect");
}

static void start_session(struct raw *raw)
{
        nghttp2_session_callbacks *callbacks = NULL;
        nghttp2_option *option = NULL;
        must(nghttp2_session_callbacks_new(&callbacks) == 0 && nghttp2_option_new(&option) == 0, "no memory");
        nghttp2_session_callbacks_set_on_header_callback(callbacks, on_header);
        nghttp2_session_callbacks_set_on_data_chunk_recv_callback(callbacks, on_data);
        nghttp2_session_callbacks_set_on_stream_close_callback(callbacks, on_close);
        nghttp2_option_set_max_send_header_block_length(option, 1 << 20);
        nghttp2_option_set_no_http_messaging(option, 1);
        must(nghttp2_session_client_new2(&raw->session, callbacks, raw, option) == 0, "no session");
        nghttp2_session_callbacks_del(callbacks);
        nghttp2_option_del(option);
}

static nghttp2_nv field(const char *name, const char *value)
{
        return (nghttp2_nv){(uint8_t *)name, (uint8_t *)value, strlen(name), strlen(value), NGHTTP2_NV_FLAG_NONE};
}

static void submit(struct raw *raw)
{
        const struct raw_request *request = raw->request;
        char timeout[16];
        nghttp2_nv fields[12] = {
            field(":method", "POST"),
            field(":scheme", "http"),
            field(":path", request->path),
            field(":authority", "localhost"),
            field("content-type", request->content_type != NULL ? request->content_type : "application/grpc"),
            field("te", "trailers")};
        size_t n = 6;
        if (request->timeout_ms > 0) {
                snprintf(timeout, sizeof(timeout), "%dm", request->timeout_ms);
                fields[n++] = field("grpc-timeout", timeout);
        }
        if (request->compressed) {
                fields[n++] = field("grpc-encoding", "gzip");
        }
        for (size_t i = 0;
             i + 1 < sizeof(request->metadata) / sizeof(request->metadata[0]) && request->metadata[i] != NULL; i += 2) {
                fields[n++] = field(request->metadata[i], request->metadata[i + 1]);
        }
        nghttp2_data_provider body = {.read_callback = read_body};
        must(nghttp2_submit_settings(raw->session, NGHTTP2_FLAG_NONE, NULL, 0) == 0, "no settings");
        must(nghttp2_submit_request(raw->session, NULL, fields, n, raw->body != NULL ? &body : NULL, NULL) > 0,
             "no request");
}

/* False at the end of the connection, or on timeout. */
static bool send_and_receive(struct raw *raw, int64_t until_us)
{
        const uint8_t *frame;
        ssize_t len;
        uint8_t bytes[16384];
        while ((len = nghttp2_session_mem_send(raw->session, &frame)) > 0) {
                for (ssize_t done = 0, n; done < len; done += n) {
                        n = send(raw->fd, frame + done, (size_t)(len - done), MSG_NOSIGNAL);
                        if (n < 0) {
                                break; /* what arrived before must still be read */
                        }
                }
        }
        struct pollfd one = {.fd = raw->fd, .events = POLLIN};
        int64_t left_ms = (until_us - clock_monotonic_us()) / 1000;
        if (left_ms <= 0 || poll(&one, 1, (int)left_ms) <= 0) {
                raw->answer->status = SN_DEADLINE_EXCEEDED;
                return false;
        }
        len = recv(raw->fd, bytes, sizeof(bytes), 0);
        return len > 0 && nghttp2_session_mem_recv(raw->session, bytes, (size_t)len) == len;
}

void raw_grpc_call(const struct raw_request *request, struct raw_answer *answer)
{
        struct raw raw = {.request = request, .answer = answer};
        int64_t until_us =
            clock_monotonic_us() + (request->timeout_ms > 0 ? request->timeout_ms : 5000) * INT64_C(1000);
        *answer = (struct raw_answer){.status = SN_UNAVAILABLE}; /* if there is no response */
        make_body(&raw);
        connect_to(&raw);
        start_session(&raw);
        submit(&raw);
        while (!raw.over && send_and_receive(&raw, until_us)) {
        }
        nghttp2_session_del(raw.session);
        close(raw.fd);
        free(raw.body);
}
