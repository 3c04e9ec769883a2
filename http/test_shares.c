/* Limits per client address: connections, and bytes of request bodies in memory. */
#include <arpa/inet.h>
#include <netinet/in.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <unistd.h>

#include "base/clock.h"
#include "base/metrics.h"
#include "base/str.h"
#include "http/test_http2_support.h"

enum {
        CONNECTIONS = 20,
        BODY_BYTES = 800000,
        SPOOL_BYTES = 400000,
        SPOOL_FILES = 16,
        FROM_HERE = 1,
        FROM_THERE = 2,
        FROM_PROXY = 9
};

static struct fixture f;

static bool is_proxy(const char *peer)
{
        return strcmp(peer, "127.0.0.9") == 0;
}

/* Connected from 127.0.0.`from`. */
static int open_from(int from)
{
        struct sockaddr_in own = {.sin_family = AF_INET,
                                  .sin_addr.s_addr = htonl(INADDR_LOOPBACK - 1 + (uint32_t)from)};
        struct sockaddr_in server = {
            .sin_family = AF_INET, .sin_port = htons((uint16_t)f.port), .sin_addr.s_addr = htonl(INADDR_LOOPBACK)};
        int fd = socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC, 0);

        assert_int_equal(bind(fd, (struct sockaddr *)&own, sizeof(own)), 0);
        assert_int_equal(connect(fd, (struct sockaddr *)&server, sizeof(server)), 0);
        return fd;
}

static int taken_from(int from)
{
        int fd = open_from(from);

        client_send_text(fd, "GET /echo HTTP/1.1\r\nHost: h\r\n\r\n");
        client_expect(fd, 200, NULL);
        return fd;
}

static void close_all(int *fds, int n)
{
        for (int i = 0; i < n; i++) {
                close(fds[i]);
        }
        WAIT_UNTIL(fixture_connections() == 0);
}

static void connections_are_limited_per_address(void **state)
{
        int fds[CONNECTIONS + 1], refused;

        for (int i = 0; i < CONNECTIONS; i++) {
                fds[i] = taken_from(FROM_HERE);
        }
        refused = open_from(FROM_HERE);
        client_send_text(refused, "GET /echo HTTP/1.1\r\nHost: h\r\n\r\n");
        client_expect(refused, 429, "refused 429: Too many connections from your address; close some.");
        client_expect_end(refused);
        close(refused);
        fds[CONNECTIONS] = taken_from(FROM_THERE);
        client_send_text(fds[0], "GET /echo HTTP/1.1\r\nHost: h\r\n\r\n"); /* existing ones continue */
        client_expect(fds[0], 200, NULL);
        close_all(fds, CONNECTIONS + 1);
        fds[0] = taken_from(FROM_HERE);
        close_all(fds, 1);
}

static void a_proxy_may_use_the_whole_limit(void **state)
{
        int fds[3 * CONNECTIONS];

        for (int i = 0; i < 3 * CONNECTIONS; i++) {
                fds[i] = taken_from(FROM_PROXY);
        }
        close_all(fds, 3 * CONNECTIONS);
}

static void few_connections_are_used_for_error_responses(void **state)
{
        enum { MANY = CONNECTIONS + 64 + 20 };
        int fds[MANY], told = 0;

        for (int i = 0; i < MANY; i++) {
                fds[i] = open_from(FROM_HERE);
        }
        for (int i = CONNECTIONS; i < MANY; i++) {
                char first = 0;

                told += recv(fds[i], &first, 1, 0) == 1 && first == 'H';
        }
        assert_in_range(told, 1, 64);
        close_all(fds, MANY);
}

/* ---- Bodies ---- */

static int64_t held(void)
{
        struct buf text;
        int64_t value = -1;

        buf_init(&text, 1 << 20);
        metrics_render(&text);
        const char *line = strstr(text.data, "\nsonet_request_body_bytes ");
        assert_non_null(line);
        line = strchr(line, ' ') + 1;
        assert_true(str_to_i64((struct str){line, strcspn(line, "\n")}, &value));
        buf_free(&text);
        return value;
}

/* The server has received everything sent, and waits for the rest. */
static int send_part_of_body(int from, const char *how, size_t bytes)
{
        char *text = malloc(bytes);
        int fd = open_from(from);
        int64_t before = held();

        memset(text, 'x', bytes);
        client_send_text(fd, "POST /echo HTTP/1.1\r\nHost: h\r\n");
        client_send_text(fd, how);
        client_send(fd, text, bytes);
        free(text);
        WAIT_UNTIL(held() >= before + (int64_t)bytes);
        return fd;
}

static void expect_too_many(int from, const char *how, size_t bytes)
{
        struct reply r;
        char *text = malloc(bytes);
        int fd = open_from(from);

        memset(text, 'x', bytes);
        client_send_text(fd, "POST /echo HTTP/1.1\r\nHost: h\r\n");
        client_send_text(fd, how);
        client_send(fd, text, bytes);
        client_read(fd, &r, false);
        assert_int_equal(r.status, 503);
        assert_string_equal(r.body, "refused 503: The server is receiving too many request bodies at once; try again.");
        reply_free(&r);
        free(text);
        close(fd);
}

static const char with_length[] = "Content-Length: 90000\r\n\r\n";
static const char in_chunks[] = "Transfer-Encoding: chunked\r\n\r\n15f90\r\n"; /* 90,000 bytes */

static void an_address_has_a_share_of_the_memory_for_bodies(void **state)
{
        const char *const ways[] = {with_length, in_chunks};

        for (int i = 0; i < 2; i++) {
                int fds[50], n = 0;

                while (held() < BODY_BYTES / 4 - 80000) {
                        assert_in_range(n, 0, 48);
                        fds[n++] = send_part_of_body(FROM_HERE, ways[i], 15000);
                }
                expect_too_many(FROM_HERE, ways[i], 89000);
                fds[n++] = send_part_of_body(FROM_THERE, ways[i], 60000);
                close_all(fds, n);
                WAIT_UNTIL(held() == 0);
        }
}

static void all_together_may_use_the_whole_limit(void **state)
{
        int fds[50], n = 0;

        while (held() < BODY_BYTES - 80000) { /* memory grows by doubling: the last steps are small */
                assert_in_range(n, 0, 48);
                fds[n++] = send_part_of_body(FROM_PROXY, with_length, held() < BODY_BYTES - 200000 ? 60000 : 15000);
        }
        expect_too_many(FROM_THERE, with_length, 89000);
        fds[n++] = taken_from(FROM_THERE); /* requests without a body continue */
        close_all(fds, n);
        WAIT_UNTIL(held() == 0);
}

static void a_body_is_counted_until_its_request_is_answered(void **state)
{
        int fd = open_from(FROM_HERE);

        client_send_text(fd, "POST /block HTTP/1.1\r\nHost: h\r\nContent-Length: 5\r\n\r\nhello");
        fixture_wait_blocked(1);
        assert_true(held() > 0);
        fixture_release();
        client_expect(fd, 200, NULL);
        WAIT_UNTIL(held() == 0);
        close_all(&fd, 1);
}

static void over_http_2_the_body_of_each_stream_counts(void **state)
{
        static const char piece[16000];
        struct buf bytes, block;
        int fd = open_from(FROM_HERE);
        const uint32_t last = 41;

        buf_init(&bytes, 1 << 20);
        h2_begin(&bytes);
        for (uint32_t stream = 1; stream <= last; stream += 2) {
                buf_init(&block, 1000);
                h2_field(&block, ":method", "POST");
                h2_field(&block, ":scheme", "http");
                h2_field(&block, ":authority", "h");
                h2_field(&block, ":path", "/echo");
                h2_headers(&bytes, NGHTTP2_FLAG_END_HEADERS, stream, &block);
                buf_free(&block);
                h2_frame(&bytes, NGHTTP2_DATA, 0, stream, piece, sizeof(piece));
        }
        h2_send(fd, &bytes);
        assert_int_equal(h2_read_status(fd, last), 503);
        assert_in_range(held(), 1, BODY_BYTES / 4);
        close_all(&fd, 1);
        WAIT_UNTIL(held() == 0);
}

/* ---- The spool ---- */

static int spool_from(int from, const char *how, const char *bytes, size_t len)
{
        int fd = open_from(from);

        client_send_text(fd, "POST /spool HTTP/1.1\r\nHost: h\r\n");
        client_send_text(fd, how);
        client_send_text(fd, "\r\n\r\n");
        client_send(fd, bytes, len);
        return fd;
}

static int taken_to_spool(int from)
{
        int fd = spool_from(from, "Content-Length: 5\r\nExpect: 100-continue", "", 0);
        struct reply r;

        client_read(fd, &r, true);
        assert_int_equal(r.status, 100);
        reply_free(&r);
        return fd;
}

static void an_address_has_a_share_of_the_spools_files(void **state)
{
        int fds[SPOOL_FILES + 2], n = 0;

        for (; n < SPOOL_FILES / 4; n++) {
                fds[n] = taken_to_spool(FROM_HERE);
        }
        int refused = spool_from(FROM_HERE, "Content-Length: 5", "", 0);
        client_expect(refused, 503, NULL);
        close(refused);
        fds[n++] = taken_to_spool(FROM_THERE);
        client_send_text(fds[0], "hello");
        client_expect(fds[0], 200, NULL);
        fds[n++] = taken_to_spool(FROM_HERE); /* its slot is free again */
        close_all(fds, n);
        for (n = 0; n <= SPOOL_FILES / 2; n++) {
                fds[n] = taken_to_spool(FROM_PROXY);
        }
        close_all(fds, n);
}

static void an_address_has_a_share_of_the_spools_bytes(void **state)
{
        static char bytes[SPOOL_BYTES / 4 + 1];
        int fd = spool_from(FROM_HERE, "Content-Length: 100001", "", 0);

        client_expect(fd, 503, NULL); /* with Content-Length */
        close(fd);
        fd = spool_from(FROM_HERE, "Transfer-Encoding: chunked", "186A1\r\n", 7);
        client_send(fd, bytes, sizeof(bytes));
        client_expect(fd, 503, NULL); /* chunked */
        close(fd);
        for (int i = 0; i < 3; i++) { /* it is released */
                fd = spool_from(FROM_HERE, "Content-Length: 100000", bytes, SPOOL_BYTES / 4);
                client_expect(fd, 200, NULL);
                close(fd);
                WAIT_UNTIL(fixture_connections() == 0);
        }
        fd = spool_from(FROM_PROXY, "Content-Length: 100001", bytes, sizeof(bytes));
        client_expect(fd, 200, NULL);
        close(fd);
}

static int start(void **state)
{
        struct http_options o = fixture_options();

        o.window_bytes = 1 << 20;
        http_limit_shares(&(struct http_shares){.connections = CONNECTIONS,
                                                .body_bytes = BODY_BYTES,
                                                .spool_bytes = SPOOL_BYTES,
                                                .spool_files = SPOOL_FILES,
                                                .is_exempt = is_proxy});
        fixture_start(&f, &o);
        return 0;
}

static int stop(void **state)
{
        fixture_stop(&f);
        return 0;
}

int main(void)
{
        const struct CMUnitTest tests[] = {
            cmocka_unit_test(connections_are_limited_per_address),
            cmocka_unit_test(a_proxy_may_use_the_whole_limit),
            cmocka_unit_test(few_connections_are_used_for_error_responses),
            cmocka_unit_test(an_address_has_a_share_of_the_memory_for_bodies),
            cmocka_unit_test(all_together_may_use_the_whole_limit),
            cmocka_unit_test(a_body_is_counted_until_its_request_is_answered),
            cmocka_unit_test(an_address_has_a_share_of_the_spools_files),
            cmocka_unit_test(an_address_has_a_share_of_the_spools_bytes),
            cmocka_unit_test(over_http_2_the_body_of_each_stream_counts),
        };

        return cmocka_run_group_tests_name("shares", tests, start, stop);
}
