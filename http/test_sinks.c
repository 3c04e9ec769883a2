/* Bodies that go to a sink as they arrive: complete, oversized, rejected, slow and interrupted ones.
 */
#include "http/test_http2_support.h"

#include <stdatomic.h>
#include <stdio.h>
#include <string.h>
#include <sys/socket.h>
#include <unistd.h>

#include "base/clock.h"

enum { MAX_BODY = 1 << 20 };

static struct fixture f;
static atomic_int_least64_t taken, parts, part_bytes;
static atomic_int released;

static bool take(struct http_request *r, struct str piece, struct http_response *early)
{
        if (strcmp(r->path, "/full") == 0) {
                early->status = 503;
                buf_append_c(&early->body, "full");
                return false;
        }
        atomic_fetch_add(&taken, (int64_t)piece.len);
        *(int64_t *)r->user += (int64_t)piece.len;
        return true;
}

static atomic_bool full;
static atomic_int found_full;

static bool is_full(struct http_request *r)
{
        atomic_fetch_add(&found_full, full);
        return full;
}

static void release(struct http_request *r)
{
        atomic_fetch_add(&released, 1);
}

static const char *const wanted[] = {"X-Sum", "X-Other", NULL};

static bool on_headers(void *context, struct http_request *r, size_t *max_body, struct http_response *early)
{
        static const struct http_sink whole = {.take = take, .is_full = is_full, .stall_ms = 300};
        static const struct http_sink part = {.take = take, .stall_ms = 300, .keeps_part = true};
        r->sink = strcmp(r->path, "/part") == 0 ? &part : &whole;
        r->user = ARENA_NEW(r->arena, int64_t);
        r->release = release;
        r->wanted_trailers = strcmp(r->path, "/trailers") == 0 ? wanted : NULL;
        *max_body = MAX_BODY;
        return true;
}

static bool on_request(void *context, struct http_request *r, struct http_response *early)
{
        if (r->is_part) {
                atomic_fetch_add(&part_bytes, *(int64_t *)r->user);
                atomic_fetch_add(&parts, 1);
        }
        early->status = r->is_part ? 202 : 200;
        buf_printf(&early->body, "%lld", (long long)*(int64_t *)r->user);
        for (size_t i = 0; i < r->n_trailers; i++) {
                buf_printf(&early->body, " %s=%s", r->trailers[i].name, r->trailers[i].value);
        }
        return false;
}

static int setup(void **state)
{
        struct http_options options = fixture_options();
        struct http_handlers handlers = {.on_headers = on_headers, .on_request = on_request};
        options.slow_client_ms = 200; /* shorter than stall_ms: it must not apply */
        taken = parts = part_bytes = 0;
        full = false;
        found_full = 0;
        released = 0;
        fixture_start_handlers(&f, &options, &handlers);
        return 0;
}

static int teardown(void **state)
{
        http_server_stop(f.server, 1000);
        return 0;
}

static void send_head(int fd, const char *path, const char *rest)
{
        char head[300];
        (void)snprintf(head, sizeof(head), "PUT %s HTTP/1.1\r\nHost: h\r\n%s\r\n", path, rest);
        client_send_text(fd, head);
}

static void a_body_is_consumed_as_it_arrives_and_the_next_request_follows(void **state)
{
        int fd = client_open(&f);
        send_head(fd, "/", "Content-Length: 6\r\n");
        client_send_text(fd, "abc");
        WAIT_UNTIL(taken == 3);
        client_send_text(fd, "defPUT / HTTP/1.1\r\nHost: h\r\nTransfer-Encoding: chunked\r\n\r\n3\r\nabc\r\n");
        client_expect(fd, 200, "6");
        WAIT_UNTIL(taken == 9);
        client_send_text(fd, "2\r\nde\r\n0\r\n\r\n");
        client_expect(fd, 200, "5");
        close(fd);
        WAIT_UNTIL(released == 2);
}

static void expect_continue_gets_100(void **state)
{
        struct reply r;
        int fd = client_open(&f);
        send_head(fd, "/", "Content-Length: 3\r\nExpect: 100-continue\r\n");
        client_read(fd, &r, true);
        assert_int_equal(r.status, 100);
        reply_free(&r);
        client_send_text(fd, "abc");
        client_expect(fd, 200, "3");
        close(fd);
}

static void have_room(void)
{
        full = false;
        http_sinks_have_room(f.server);
}

/* The rest is rejected, or requested with 100, before any of it arrives. */
static void a_client_that_waits_while_the_sink_is_full_is_told_when_there_is_room(void **state)
{
        struct reply r;
        int refused = client_open(&f), waiting = client_open(&f);
        full = true;
        send_head(refused, "/full", "Content-Length: 3\r\n");
        send_head(waiting, "/", "Content-Length: 3\r\nExpect: 100-continue\r\n");
        WAIT_UNTIL(found_full == 2);
        have_room();
        client_expect(refused, 503, "full");
        client_read(waiting, &r, true);
        assert_int_equal(r.status, 100);
        reply_free(&r);
        client_send_text(waiting, "abc");
        client_expect(waiting, 200, "3");
        close(refused);
        close(waiting);
}

static void a_body_over_the_limit_is_rejected_before_or_while_it_arrives(void **state)
{
        static const char block[1 << 16] = "";
        int fd = client_open(&f);
        send_head(fd, "/", "Content-Length: 1048577\r\nExpect: 100-continue\r\n");
        client_expect(fd, 413, NULL);
        close(fd);
        assert_int_equal(taken, 0);
        fd = client_open(&f);
        send_head(fd, "/", "Transfer-Encoding: chunked\r\n");
        for (int i = 0; i <= MAX_BODY / (int)sizeof(block); i++) {
                client_send_text(fd, "10000\r\n");
                client_send(fd, block, sizeof(block));
                client_send_text(fd, "\r\n");
        }
        client_expect(fd, 413, NULL);
        close(fd);
        assert_true(taken <= MAX_BODY);
        WAIT_UNTIL(released == 2);
}

static void a_sink_may_reject_data(void **state)
{
        int fd = client_open(&f);
        send_head(fd, "/full", "Content-Length: 6\r\n");
        client_send_text(fd, "abc");
        client_expect(fd, 503, "full");
        client_expect_end(fd);
        close(fd);
}

/* 20 bytes a second are too few on average; each arrives long before the stall of 300 ms. */
static void a_body_that_arrives_too_slowly_is_aborted(void **state)
{
        int fd = client_open(&f);
        int64_t begun_us = clock_monotonic_us();
        send_head(fd, "/", "Content-Length: 1000\r\n");
        while (released == 0 && send(fd, "x", 1, MSG_NOSIGNAL) == 1) {
                clock_sleep_ms(50);
        }
        client_expect(fd, 408, NULL);
        assert_true(clock_monotonic_us() - begun_us >= 300000);
        close(fd);
}

/* 64 KiB are a minute's worth, of which at most the stall of 300 ms may be saved up. */
static void a_fast_start_does_not_allow_a_slow_rest(void **state)
{
        static const char block[1 << 16] = "";
        int fd = client_open(&f);
        send_head(fd, "/", "Content-Length: 1000000\r\n");
        client_send(fd, block, sizeof(block));
        WAIT_UNTIL(taken == sizeof(block));
        for (int i = 0; released == 0; i++) {
                assert_in_range(i, 0, 400); /* 20 s */
                (void)send(fd, "x", 1, MSG_NOSIGNAL);
                clock_sleep_ms(50);
        }
        client_expect(fd, 408, NULL);
        close(fd);
}

static void a_body_may_take_longer_than_other_requests_while_it_arrives(void **state)
{
        static const char block[4096] = "";
        int fd = client_open(&f);
        send_head(fd, "/", "Content-Length: 81920\r\n");
        for (int i = 0; i < 20; i++) { /* a second; other requests have 0.2 */
                client_send(fd, block, sizeof(block));
                clock_sleep_ms(50);
        }
        client_expect(fd, 200, "81920");
        close(fd);
}

static void a_stalled_body_is_aborted_and_its_part_kept_with_partial(void **state)
{
        int fd = client_open(&f), kept = client_open(&f);
        send_head(fd, "/", "Content-Length: 1000\r\n");
        send_head(kept, "/part", "Content-Length: 1000\r\n");
        client_send_text(fd, "abc");
        client_send_text(kept, "abcd");
        client_expect(fd, 408, NULL);
        client_expect(kept, 202, "4");
        client_expect_end(kept);
        assert_int_equal(parts, 1);
        close(fd);
        close(kept);
}

static void the_part_of_an_interrupted_body_is_kept_with_partial(void **state)
{
        int fd = client_open(&f), kept = client_open(&f), reset = client_open(&f);
        send_head(fd, "/", "Content-Length: 1000\r\n");
        send_head(kept, "/part", "Content-Length: 1000\r\n");
        send_head(reset, "/part", "Transfer-Encoding: chunked\r\n");
        client_send_text(fd, "abc");
        client_send_text(kept, "abcd");
        client_send_text(reset, "5\r\nabcde\r\n");
        WAIT_UNTIL(taken == 12);
        close(fd);
        close(kept);
        client_reset(reset);
        WAIT_UNTIL(released == 3);
        assert_int_equal(parts, 2);
        assert_int_equal(part_bytes, 9);
}

static void begin_put(struct buf *b, uint32_t stream, const char *path)
{
        struct buf block;
        buf_init(&block, 1000);
        h2_field(&block, ":method", "PUT");
        h2_field(&block, ":scheme", "http");
        h2_field(&block, ":path", path);
        h2_field(&block, ":authority", "h");
        h2_headers(b, NGHTTP2_FLAG_END_HEADERS, stream, &block);
        buf_free(&block);
}

/* For longer than the stall of 300 ms, which does not apply now. */
static void others_go_on(void)
{
        int64_t until_us = clock_monotonic_us() + 600000;
        int fd = client_open(&f);
        do {
                send_head(fd, "/", "Content-Length: 0\r\n");
                client_expect(fd, 200, "0");
        } while (clock_monotonic_us() < until_us);
        close(fd);
}

/* All other trailers are dropped: what a request may do was decided by its head. */
static void only_declared_trailers_are_kept(void **state)
{
        static const char chunks[] = "3\r\nabc\r\n0\r\nX-Sum: \t1 2 \r\nAuthorization: x\r\nx-other:\r\n\r\n";
        int fd = client_open(&f);
        send_head(fd, "/trailers", "Transfer-Encoding: chunked\r\n");
        client_send_text(fd, chunks);
        client_expect(fd, 200, "3 X-Sum=1 2 x-other=");
        send_head(fd, "/trailers", "Transfer-Encoding: chunked\r\n");
        for (const char *at = chunks; *at != '\0'; at++) {
                client_send(fd, at, 1);
        }
        client_expect(fd, 200, "3 X-Sum=1 2 x-other=");
        send_head(fd, "/", "Transfer-Encoding: chunked\r\n");
        client_send_text(fd, chunks);
        client_expect(fd, 200, "3");
        send_head(fd, "/trailers", "Transfer-Encoding: chunked\r\n");
        client_send_text(fd, "3\r\nabc\r\n0\r\n");
        for (int i = 0; i < 2 * HTTP_MAX_TRAILERS; i++) {
                client_send_text(fd, "X-Sum: 1\r\n");
        }
        client_send_text(fd, "\r\n");
        client_expect(fd, 200, "3 X-Sum=1 X-Sum=1 X-Sum=1 X-Sum=1 X-Sum=1 X-Sum=1 X-Sum=1 X-Sum=1");
        close(fd);
}

static void a_body_with_a_full_sink_is_not_read_and_no_other_waits(void **state)
{
        int fd = client_open(&f), chunked = client_open(&f), gone = client_open(&f);
        send_head(fd, "/", "Content-Length: 6\r\n");
        send_head(chunked, "/", "Transfer-Encoding: chunked\r\n");
        send_head(gone, "/part", "Content-Length: 6\r\n");
        client_send_text(fd, "a");
        client_send_text(chunked, "1\r\na\r\n");
        client_send_text(gone, "a");
        WAIT_UNTIL(taken == 3);
        full = true;
        client_send_text(fd, "bc");
        client_send_text(chunked, "2\r\nbc\r\n");
        client_send_text(gone, "bc");
        WAIT_UNTIL(taken == 9);
        client_send_text(fd, "def");
        client_send_text(chunked, "2\r\nde\r\n0\r\n\r\n");
        close(gone);
        others_go_on();
        assert_int_equal(taken, 9);
        have_room();
        client_expect(fd, 200, "6");
        client_expect(chunked, 200, "5");
        close(fd);
        close(chunked);
        WAIT_UNTIL(parts == 1);
}

static void a_server_stops_while_sinks_are_full(void **state)
{
        int fd = client_open(&f), fd_2 = h2_open(&f);
        struct buf b;
        full = true;
        send_head(fd, "/", "Content-Length: 6\r\n");
        client_send_text(fd, "abc");
        h2_begin(&b);
        begin_put(&b, 1, "/");
        h2_frame(&b, NGHTTP2_DATA, 0, 1, "abc", 3);
        h2_send(fd_2, &b);
        WAIT_UNTIL(found_full >= 2 && taken >= 3);
        http_server_stop(f.server, 1000);
        f.server = NULL;
        assert_int_equal(released, 2);
        close(fd);
        close(fd_2);
}

/* --- HTTP/2 --- */

static void over_http2_a_full_sink_gives_no_credit(void **state)
{
        static const char block[16000] = "";
        struct h2_frame frame;
        struct buf b;
        int fd = h2_open(&f);
        full = true;
        h2_begin(&b);
        begin_put(&b, 1, "/");
        for (int i = 0; i < 4; i++) {
                h2_frame(&b, NGHTTP2_DATA, 0, 1, block, sizeof(block));
        }
        h2_send(fd, &b);
        WAIT_UNTIL(taken == 4 * sizeof(block));
        others_go_on();
        buf_init(&b, 1000);
        h2_frame(&b, NGHTTP2_PING, 0, 0, "12345678", 8);
        h2_send(fd, &b);
        do {
                assert_true(h2_read(fd, &frame));
                assert_false(frame.type == NGHTTP2_WINDOW_UPDATE && frame.stream == 1);
        } while (frame.type != NGHTTP2_PING);
        have_room();
        do {
                assert_true(h2_read(fd, &frame));
        } while (frame.type != NGHTTP2_WINDOW_UPDATE || frame.stream != 1);
        buf_init(&b, 1000);
        h2_frame(&b, NGHTTP2_DATA, NGHTTP2_FLAG_END_STREAM, 1, "de", 2);
        h2_send(fd, &b);
        h2_read_until(fd, NGHTTP2_DATA, &frame);
        assert_memory_equal(frame.payload, "64002", 5);
        close(fd);
}

static void over_http2_a_body_is_consumed_as_it_arrives(void **state)
{
        struct buf b;
        struct h2_frame frame;
        int fd = h2_open(&f);
        h2_begin(&b);
        begin_put(&b, 1, "/");
        h2_frame(&b, NGHTTP2_DATA, 0, 1, "abc", 3);
        h2_send(fd, &b);
        WAIT_UNTIL(taken == 3);
        buf_init(&b, 1000);
        h2_frame(&b, NGHTTP2_DATA, NGHTTP2_FLAG_END_STREAM, 1, "de", 2);
        h2_send(fd, &b);
        h2_read_until(fd, NGHTTP2_DATA, &frame);
        assert_int_equal(frame.len, 1);
        assert_int_equal(frame.payload[0], '5');
        close(fd);
}

static void over_http2_trailers_are_kept_too(void **state)
{
        struct buf b, block;
        struct h2_frame frame;
        int fd = h2_open(&f);
        h2_begin(&b);
        begin_put(&b, 1, "/trailers");
        h2_frame(&b, NGHTTP2_DATA, 0, 1, "abc", 3);
        buf_init(&block, 1000);
        h2_field(&block, "x-sum", "1");
        h2_field(&block, "authorization", "x");
        h2_headers(&b, NGHTTP2_FLAG_END_HEADERS | NGHTTP2_FLAG_END_STREAM, 1, &block);
        buf_free(&block);
        h2_send(fd, &b);
        h2_read_until(fd, NGHTTP2_DATA, &frame);
        assert_int_equal(frame.len, strlen("3 x-sum=1"));
        assert_memory_equal(frame.payload, "3 x-sum=1", frame.len);
        close(fd);
}

static void over_http2_interrupted_and_stalled_bodies_are_kept_with_partial(void **state)
{
        struct buf b;
        int fd = h2_open(&f);
        h2_begin(&b);
        for (uint32_t stream = 1; stream <= 7; stream += 2) {
                begin_put(&b, stream, stream == 1 ? "/" : "/part");
                h2_frame(&b, NGHTTP2_DATA, 0, stream, "abcd", 4);
        }
        h2_send(fd, &b);
        WAIT_UNTIL(taken == 16);
        buf_init(&b, 1000);
        h2_frame(&b, NGHTTP2_RST_STREAM, 0, 1, "\0\0\0\x8", 4);
        h2_frame(&b, NGHTTP2_RST_STREAM, 0, 3, "\0\0\0\x8", 4);
        h2_send(fd, &b);
        WAIT_UNTIL(released == 2);
        assert_int_equal(parts, 1);
        assert_int_equal(h2_read_status(fd, 5), 202); /* stalls */
        close(fd);
        WAIT_UNTIL(released == 4);
        assert_int_equal(parts, 3);
        assert_int_equal(part_bytes, 12);
}

int main(void)
{
        const struct CMUnitTest tests[] = {
#define TEST(name) cmocka_unit_test_setup_teardown(name, setup, teardown)
            TEST(a_body_is_consumed_as_it_arrives_and_the_next_request_follows),
            TEST(expect_continue_gets_100),
            TEST(a_client_that_waits_while_the_sink_is_full_is_told_when_there_is_room),
            TEST(a_body_over_the_limit_is_rejected_before_or_while_it_arrives),
            TEST(a_sink_may_reject_data),
            TEST(only_declared_trailers_are_kept),
            TEST(over_http2_trailers_are_kept_too),
            TEST(a_body_with_a_full_sink_is_not_read_and_no_other_waits),
            TEST(a_server_stops_while_sinks_are_full),
            TEST(over_http2_a_full_sink_gives_no_credit),
            TEST(a_body_that_arrives_too_slowly_is_aborted),
            TEST(a_fast_start_does_not_allow_a_slow_rest),
            TEST(a_body_may_take_longer_than_other_requests_while_it_arrives),
            TEST(a_stalled_body_is_aborted_and_its_part_kept_with_partial),
            TEST(the_part_of_an_interrupted_body_is_kept_with_partial),
            TEST(over_http2_a_body_is_consumed_as_it_arrives),
            TEST(over_http2_interrupted_and_stalled_bodies_are_kept_with_partial),
        };
        return cmocka_run_group_tests_name("sinks", tests, NULL, NULL);
}
