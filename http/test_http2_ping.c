/* HTTP/2 connections whose client is silent while it waits: it is pinged. The requests wait in /block, whose response
 * the test controls. */
#include <unistd.h>

#include "base/clock.h"
#include "http/test_http2_support.h"

static struct fixture fixture;

static void start(int slow_client_ms)
{
        struct http_options options = fixture_options();
        options.slow_client_ms = slow_client_ms;
        options.idle_ms = 100;
        fixture_start(&fixture, &options);
}

static int open_waiting(void)
{
        struct buf b;
        int fd = h2_open(&fixture);
        h2_begin(&b);
        h2_request(&b, 1, "/block");
        h2_send(fd, &b);
        fixture_wait_blocked(1);
        return fd;
}

static void a_silent_client_that_answers_pings_keeps_its_requests(void **state)
{
        struct h2_frame got;
        struct buf b;
        start(3000);
        int fd = open_waiting();
        for (int i = 0; i < 4; i++) {
                h2_read_until(fd, NGHTTP2_PING, &got);
                assert_int_equal(got.flags & NGHTTP2_FLAG_ACK, 0);
                buf_init(&b, 1000);
                h2_frame(&b, NGHTTP2_PING, NGHTTP2_FLAG_ACK, 0, got.payload, 8);
                h2_send(fd, &b);
        }
        fixture_release();
        assert_int_equal(h2_read_status(fd, 1), 200);
        close(fd);
        fixture_stop(&fixture);
}

/* Its kernel still receives the ping. */
static void a_client_that_hangs_is_disconnected_while_its_request_runs(void **state)
{
        start(200);
        int fd = open_waiting();
        int64_t slow = fixture_slow_clients();
        WAIT_UNTIL(fixture_connections() == 0);
        assert_int_equal(fixture_slow_clients(), slow + 1);
        fixture_release();
        close(fd);
        fixture_stop(&fixture);
}

static void a_connection_without_requests_times_out_without_a_ping(void **state)
{
        struct h2_frame got;
        struct buf b;
        start(3000);
        int fd = h2_open(&fixture);
        h2_begin(&b);
        h2_send(fd, &b);
        while (h2_read(fd, &got)) { /* until the idle timeout */
                assert_int_not_equal(got.type, NGHTTP2_PING);
        }
        close(fd);
        fixture_stop(&fixture);
}

int main(void)
{
        const struct CMUnitTest tests[] = {
            cmocka_unit_test(a_silent_client_that_answers_pings_keeps_its_requests),
            cmocka_unit_test(a_client_that_hangs_is_disconnected_while_its_request_runs),
            cmocka_unit_test(a_connection_without_requests_times_out_without_a_ping),
        };
        return cmocka_run_group_tests(tests, NULL, NULL);
}
