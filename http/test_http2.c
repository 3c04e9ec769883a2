/* HTTP/2 from a client's view: the limits and errors of HTTP/1.1, floods, slow clients, and shutdown. */
#include <errno.h>
#include <pthread.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <unistd.h>

#include "base/clock.h"
#include "base/metrics.h"
#include "http/test_http2_support.h"

enum { END_STREAM = NGHTTP2_FLAG_END_STREAM, END_HEADERS = NGHTTP2_FLAG_END_HEADERS, WHOLE = END_STREAM | END_HEADERS };

static struct fixture fixture;

static int setup(void **state)
{
        fixture_start(&fixture, NULL);
        return 0;
}

static int setup_impatient(void **state)
{
        struct http_options options = fixture_options();
        options.slow_client_ms = 300;
        options.idle_ms = 600;
        fixture_start(&fixture, &options);
        return 0;
}

static int teardown(void **state)
{
        if (fixture.server != NULL) {
                fixture_stop(&fixture);
        }
        return 0;
}

/* ---- Errors ---- */

static int status_of(const char *method, const char *path, const char *name, const char *value, size_t body)
{
        struct buf b, block;
        char *bytes = calloc(1, body + 1);
        int fd = h2_open(&fixture);
        h2_begin(&b);
        buf_init(&block, 1 << 20);
        h2_field(&block, ":method", method);
        h2_field(&block, ":scheme", "http");
        h2_field(&block, ":authority", "localhost");
        h2_field(&block, ":path", path);
        if (name != NULL) {
                h2_field(&block, name, value);
        }
        h2_headers(&b, body == 0 ? WHOLE : END_HEADERS, 1, &block);
        for (size_t sent = 0; sent < body;) {
                size_t n = body - sent < 16384 ? body - sent : 16384;
                sent += n;
                h2_frame(&b, NGHTTP2_DATA, sent == body ? END_STREAM : 0, 1, bytes, n);
        }
        buf_free(&block);
        free(bytes);
        h2_send(fd, &b);
        int status = h2_read_status(fd, 1);
        close(fd);
        return status;
}

static void errors_are_those_of_http_1(void **state)
{
        static const struct {
                int status;
                const char *method, *path, *name, *value;
                size_t body;
        } rows[] = {
            {200, "GET", "/echo", NULL, NULL, 0},
            {200, "POST", "/echo", NULL, NULL, 20000},
            {200, "POST", "/limit", NULL, NULL, 100},
            {-1 - NGHTTP2_PROTOCOL_ERROR, "GET", "http://localhost/echo", NULL, NULL, 0}, /* 8.3.1 */
            {200, "OPTIONS", "*", NULL, NULL, 0},
            {404, "GET", "/refuse", NULL, NULL, 0},
            {404, "POST", "/refuse", NULL, NULL, 20000},
            {413, "POST", "/limit", NULL, NULL, 101},
            {413, "POST", "/limit", "content-length", "50000", 50000},
            {417, "POST", "/echo", "expect", "the-unexpected", 10},
            {200, "POST", "/echo", "expect", "100-continue", 10},
            {503, "GET", "/inline", NULL, NULL, 0},
            {204, "GET", "/empty", NULL, NULL, 0},
            {304, "GET", "/unchanged", NULL, NULL, 0},
            {500, "GET", "/overflow", NULL, NULL, 0},
            {200, "HEAD", "/echo", NULL, NULL, 0},
            {400, "GET", "/a#b", NULL, NULL, 0},
        };
        for (size_t i = 0; i < sizeof(rows) / sizeof(rows[0]); i++) {
                h2_case = rows[i].path;
                assert_int_equal(status_of(rows[i].method, rows[i].path, rows[i].name, rows[i].value, rows[i].body),
                                 rows[i].status);
        }
}

static void heads_over_the_limit_are_rejected(void **state)
{
        char text[30001];
        memset(text, 'a', sizeof(text) - 1);
        text[sizeof(text) - 1] = '\0';
        text[0] = '/';
        assert_int_equal(status_of("GET", text, NULL, NULL, 0), 414);
        assert_int_equal(status_of("GET", "/echo", "x-long", text, 0), 431);
        text[7000] = '\0';
        assert_int_equal(status_of("GET", "/echo", "x-long", text, 0), 200);
}

static void too_many_headers_are_rejected(void **state)
{
        for (int n = HTTP_MAX_HEADERS - 1; n <= HTTP_MAX_HEADERS; n++) { /* and Host, of the authority */
                struct buf b, block;
                int fd = h2_open(&fixture);
                h2_begin(&b);
                h2_get(&block, "/echo");
                for (int i = 0; i <= n; i++) {
                        h2_field(&block, "x", "1");
                }
                h2_headers(&b, WHOLE, 1, &block);
                buf_free(&block);
                h2_send(fd, &b);
                assert_int_equal(h2_read_status(fd, 1), n < HTTP_MAX_HEADERS ? 200 : 431);
                close(fd);
        }
}

static void responses_on_one_connection_do_not_wait_for_each_other(void **state)
{
        struct buf b;
        int fd = h2_open(&fixture);
        h2_begin(&b);
        h2_request(&b, 1, "/block");
        h2_request(&b, 3, "/echo");
        h2_send(fd, &b);
        assert_int_equal(h2_read_status(fd, 3), 200);
        fixture_release();
        assert_int_equal(h2_read_status(fd, 1), 200);
        close(fd);
}

static void streams_over_the_limit_are_rejected(void **state)
{
        struct h2_frame got;
        struct buf b;
        int fd = h2_open(&fixture);
        h2_begin(&b);
        for (uint32_t i = 0; i < 101; i++) {
                h2_request(&b, 2 * i + 1, "/block");
        }
        h2_send(fd, &b);
        h2_read_until(fd, NGHTTP2_RST_STREAM, &got);
        assert_int_equal(got.stream, 201);
        assert_int_equal(got.code, NGHTTP2_REFUSED_STREAM);
        close(fd);
}

/* Their work is still in the queue: a reset does not free room. */
static void resetting_streams_does_not_free_room(void **state)
{
        struct h2_frame got;
        struct buf b;
        int fd = h2_open(&fixture);
        h2_begin(&b);
        for (uint32_t i = 0; i < 101; i++) {
                h2_request(&b, 2 * i + 1, "/block");
                h2_frame(&b, NGHTTP2_RST_STREAM, 0, 2 * i + 1, "\0\0\0\x08", 4);
        }
        h2_send(fd, &b);
        h2_read_until(fd, NGHTTP2_RST_STREAM, &got);
        assert_int_equal(got.stream, 201);
        assert_int_equal(got.code, NGHTTP2_REFUSED_STREAM);
        close(fd);
}

/* ---- Floods ---- */

static void flood_resets(struct buf *b, uint32_t i)
{
        struct buf block;
        h2_get(&block, "/echo");
        h2_headers(b, END_HEADERS, 2 * i + 1, &block);
        h2_frame(b, NGHTTP2_RST_STREAM, 0, 2 * i + 1, "\0\0\0\x08", 4);
        buf_free(&block);
}

static void flood_resets_of_whole_requests(struct buf *b, uint32_t i)
{
        h2_request(b, 2 * i + 1, "/echo");
        h2_frame(b, NGHTTP2_RST_STREAM, 0, 2 * i + 1, "\0\0\0\x08", 4);
}

static void flood_pings(struct buf *b, uint32_t i)
{
        h2_frame(b, NGHTTP2_PING, 0, 0, "12345678", 8);
}

static void flood_settings(struct buf *b, uint32_t i)
{
        h2_frame(b, NGHTTP2_SETTINGS, 0, 0, NULL, 0);
}

static void flood_priorities(struct buf *b, uint32_t i)
{
        h2_frame(b, NGHTTP2_PRIORITY, 0, 2 * i + 1, "\0\0\0\0\x10", 5);
}

static void flood_windows(struct buf *b, uint32_t i)
{
        h2_frame(b, NGHTTP2_WINDOW_UPDATE, 0, 0, "\0\0\0\1", 4);
}

static void flood_empty_data(struct buf *b, uint32_t i)
{
        if (i == 0) {
                struct buf block;
                h2_get(&block, "/echo");
                h2_headers(b, END_HEADERS, 1, &block);
                buf_free(&block);
        }
        h2_frame(b, NGHTTP2_DATA, 0, 1, NULL, 0);
}

static void flood_continuations(struct buf *b, uint32_t i)
{
        h2_frame(b, i == 0 ? NGHTTP2_HEADERS : NGHTTP2_CONTINUATION, 0, 1, NULL, 0);
}

/* One field in the HPACK table, referenced by a byte each time: small on the wire, large when decoded. */
static void flood_bomb(struct buf *b, uint32_t i)
{
        struct buf block;
        char value[3001];
        memset(value, 'v', sizeof(value) - 1);
        value[sizeof(value) - 1] = '\0';
        h2_get(&block, "/echo");
        size_t at = block.len;
        h2_field(&block, "x-bomb", value);
        block.data[at] = 0x40; /* with indexing */
        for (int k = 0; k < 12000; k++) {
                buf_append_char(&block, (char)0xBE);
        }
        h2_headers(b, WHOLE, 2 * i + 1, &block);
        buf_free(&block);
}

static void floods_close_their_connection_and_no_other(void **state)
{
        static const struct {
                const char *name;
                void (*make)(struct buf *b, uint32_t i);
                uint32_t n;
        } floods[] = {
            {"resets", flood_resets, 20000},
            {"resets of whole requests", flood_resets_of_whole_requests, 20000},
            {"pings", flood_pings, 20000},
            {"settings", flood_settings, 20000},
            {"priorities", flood_priorities, 20000},
            {"windows", flood_windows, 20000},
            {"empty pieces of a body", flood_empty_data, 20000},
            {"continuations", flood_continuations, 20000},
            {"a header block that unpacks to 36 MB", flood_bomb, 1},
        };
        struct metric *counter = metric_counter("sonet_http_floods_total", "", NULL);
        struct buf ask;
        int other = h2_open(&fixture);
        h2_begin(&ask);
        h2_send(other, &ask);
        for (size_t i = 0; i < sizeof(floods) / sizeof(floods[0]); i++) {
                struct buf b;
                int64_t before = metric_value(counter);
                int fd = h2_open(&fixture);
                h2_case = floods[i].name;
                h2_begin(&b);
                for (uint32_t k = 0; k < floods[i].n; k++) {
                        floods[i].make(&b, k);
                }
                h2_send(fd, &b);
                assert_int_equal(h2_read_goaway(fd), NGHTTP2_ENHANCE_YOUR_CALM);
                assert_int_equal(metric_value(counter), before + 1);
                buf_init(&ask, 10000);
                h2_request(&ask, (uint32_t)(2 * i + 1), "/echo");
                h2_send(other, &ask);
                assert_int_equal(h2_read_status(other, (uint32_t)(2 * i + 1)), 200);
        }
        close(other);
}

/* A client that uses its connection may send pings and window updates. */
static void useful_work_refills_the_allowance(void **state)
{
        int fd = h2_open(&fixture);
        struct buf b;
        h2_begin(&b);
        for (uint32_t i = 0; i < 3000; i++) {
                h2_request(&b, 2 * i + 1, "/echo");
                h2_frame(&b, NGHTTP2_PING, 0, 0, "12345678", 8);
                h2_frame(&b, NGHTTP2_WINDOW_UPDATE, 0, 0, "\0\0\0\x40", 4);
                h2_send(fd, &b);
                assert_int_equal(h2_read_status(fd, 2 * i + 1), 200);
                buf_init(&b, 10000);
        }
        close(fd);
}

/* ---- Timeouts ---- */

static void a_request_that_does_not_come_is_given_up(void **state)
{
        struct buf b, block;
        int fd = h2_open(&fixture);
        h2_begin(&b);
        h2_get(&block, "/echo");
        h2_headers(&b, END_HEADERS, 1, &block);
        h2_frame(&b, NGHTTP2_DATA, 0, 1, "a", 1);
        h2_send(fd, &b);
        assert_int_equal(h2_read_status(fd, 1), 408);
        close(fd);
        fd = h2_open(&fixture); /* within its head there can be no response */
        h2_begin(&b);
        h2_frame(&b, NGHTTP2_HEADERS, 0, 1, block.data, 5);
        h2_send(fd, &b);
        h2_read_goaway(fd);
        buf_free(&block);
}

static void connections_that_are_idle_end_whatever_they_ping(void **state)
{
        struct h2_frame got;
        struct buf b;
        int fd = h2_open(&fixture);
        h2_begin(&b);
        h2_request(&b, 1, "/echo");
        h2_send(fd, &b);
        assert_int_equal(h2_read_status(fd, 1), 200);
        do {
                buf_init(&b, 1000);
                h2_frame(&b, NGHTTP2_PING, 0, 0, "12345678", 8);
                h2_send(fd, &b);
                clock_sleep_ms(50); /* or it would be a flood */
                assert_true(h2_read(fd, &got));
        } while (got.type != NGHTTP2_GOAWAY);
        assert_int_equal(got.code, NGHTTP2_NO_ERROR);
        h2_read_goaway(fd);
}

static int open_with_window_0(const char *path)
{
        struct buf b;
        int fd = h2_open(&fixture);
        h2_begin(&b);
        h2_frame(&b, NGHTTP2_SETTINGS, 0, 0, "\0\4\0\0\0\0", 6);
        h2_request(&b, 1, path);
        h2_send(fd, &b);
        return fd;
}

static bool is_over(int fd, int flags)
{
        char bytes[1000];
        ssize_t n = recv(fd, bytes, sizeof(bytes), flags);
        if (n < 0 && errno == EAGAIN && flags == 0) {
                fail_msg("the connection does not end");
        }
        return n == 0 || (n < 0 && errno == ECONNRESET);
}

static void answers_that_are_not_taken_are_given_up(void **state)
{
        int fd = open_with_window_0("/big");
        while (!is_over(fd, 0)) {
        }
        close(fd);
}

/* Reading a byte at a time counts as not reading (CVE-2019-9511). */
static void answers_that_are_taken_in_dribs_are_given_up(void **state)
{
        char path[3000];
        memset(path, 'a', sizeof(path) - 1);
        memcpy(path, "/echo?", 6);
        path[sizeof(path) - 1] = '\0';
        int fd = open_with_window_0(path);
        do {
                struct buf b;
                buf_init(&b, 1000);
                h2_frame(&b, NGHTTP2_WINDOW_UPDATE, 0, 1, "\0\0\0\1", 4);
                h2_send(fd, &b);
                clock_sleep_ms(20);
        } while (!is_over(fd, MSG_DONTWAIT));
        close(fd);
}

/* ---- Shutdown ---- */

static void *stop_main(void *arg)
{
        http_server_stop(fixture.server, 10000);
        return NULL;
}

static void a_stop_sends_goaway_and_finishes_running_requests(void **state)
{
        struct h2_frame got;
        struct buf b;
        pthread_t stopper;
        int fd = h2_open(&fixture), idle = h2_open(&fixture);
        h2_begin(&b);
        h2_send(idle, &b);
        h2_begin(&b);
        h2_request(&b, 1, "/block");
        h2_send(fd, &b);
        fixture_wait_blocked(1);
        assert_int_equal(pthread_create(&stopper, NULL, stop_main, NULL), 0);
        assert_int_equal(h2_read_goaway(idle), NGHTTP2_NO_ERROR);
        h2_read_until(fd, NGHTTP2_GOAWAY, &got);
        assert_int_equal(got.code, NGHTTP2_NO_ERROR);
        fixture_release();
        assert_int_equal(h2_read_status(fd, 1), 200);
        pthread_join(stopper, NULL);
        close(fd);
        fixture.server = NULL;
        fixture_stop(&fixture);
}

static void clients_that_disconnect_leave_nothing_behind(void **state)
{
        for (int i = 0; i < 50; i++) {
                struct buf b;
                int fd = h2_open(&fixture);
                h2_begin(&b);
                h2_request(&b, 1, "/block");
                h2_request(&b, 3, "/big");
                h2_send(fd, &b);
                client_reset(fd);
        }
        struct metric *connections = metric_gauge("sonet_http_connections", "", NULL);
        struct metric *in_flight = metric_gauge("sonet_http_requests_in_flight", "", NULL);
        WAIT_UNTIL(metric_value(connections) == 0);
        fixture_release();
        WAIT_UNTIL(metric_value(in_flight) == 0);
}

static void a_stop_without_waiting_leaves_requests_to_their_owners(void **state)
{
        struct buf b;
        int fd = h2_open(&fixture);
        h2_begin(&b);
        for (uint32_t i = 0; i < 10; i++) {
                h2_request(&b, 2 * i + 1, "/block");
        }
        h2_send(fd, &b);
        fixture_wait_blocked(4);
        http_server_stop(fixture.server, 0);
        fixture.server = NULL;
        close(fd);
        fixture_stop(&fixture); /* whose workers respond now */
}

#define TEST(fn)      cmocka_unit_test_setup_teardown(fn, setup, teardown)
#define IMPATIENT(fn) cmocka_unit_test_setup_teardown(fn, setup_impatient, teardown)

int main(void)
{
        const struct CMUnitTest tests[] = {
            TEST(errors_are_those_of_http_1),
            TEST(heads_over_the_limit_are_rejected),
            TEST(too_many_headers_are_rejected),
            TEST(responses_on_one_connection_do_not_wait_for_each_other),
            TEST(streams_over_the_limit_are_rejected),
            TEST(resetting_streams_does_not_free_room),
            TEST(floods_close_their_connection_and_no_other),
            TEST(useful_work_refills_the_allowance),
            IMPATIENT(a_request_that_does_not_come_is_given_up),
            IMPATIENT(connections_that_are_idle_end_whatever_they_ping),
            IMPATIENT(answers_that_are_not_taken_are_given_up),
            IMPATIENT(answers_that_are_taken_in_dribs_are_given_up),
            TEST(a_stop_sends_goaway_and_finishes_running_requests),
            TEST(clients_that_disconnect_leave_nothing_behind),
            TEST(a_stop_without_waiting_leaves_requests_to_their_owners),
        };
        return cmocka_run_group_tests(tests, NULL, NULL);
}
