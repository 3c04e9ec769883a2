/* Valid requests, and their responses. */
#include "http/test_support.h"

#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <time.h>
#include <unistd.h>

#include "base/clock.h"

static struct fixture f;

static int setup(void **state)
{
        fixture_start(&f, NULL);
        return 0;
}

static int teardown(void **state)
{
        fixture_stop(&f);
        return 0;
}

static void a_worker_sees_the_request_as_it_was_sent(void **state)
{
        int fd = client_open(&f);
        client_send_text(fd, "GET /a%2Fb/%41?x=%20&y=a+b HTTP/1.1\r\nHost: h\r\nx-note: \t n \t \r\n\r\n");
        client_expect(fd, 200, "GET /a%2Fb/%41?x=%20&y=a+b [127.0.0.1] note=n 0:");
        client_send_text(fd, "GET http://example.org/path?q HTTP/1.1\r\nHost: example.org\r\n\r\n");
        client_expect(fd, 200, "GET /path?q [127.0.0.1] note= 0:");
        client_send_text(fd, "GET https://example.org?q HTTP/1.1\r\nHost: example.org\r\n\r\n");
        client_expect(fd, 200, "GET /?q [127.0.0.1] note= 0:");
        client_send_text(fd, "OPTIONS * HTTP/1.1\r\nHost: h\r\n\r\n");
        client_expect(fd, 200, "OPTIONS *? [127.0.0.1] note= 0:");
        client_send_text(fd, "\r\nBREW /pot??a=? HTTP/1.1\r\nHost: h\r\n\r\n"); /* one empty line before is allowed */
        client_expect(fd, 200, "BREW /pot??a=? [127.0.0.1] note= 0:");
        close(fd);
}

static void a_body_arrives_complete_however_it_is_split(void **state)
{
        static const char request[] = "POST /echo HTTP/1.1\r\nHost: h\r\nContent-Length: 11\r\n\r\nhello\0world";
        for (size_t cut = 0; cut < sizeof(request) - 1; cut++) {
                struct reply r;
                int fd = client_open(&f);
                client_send(fd, request, cut);
                clock_sleep_ms(cut % 16 == 0 ? 1 : 0); /* sometimes a separate packet */
                client_send(fd, request + cut, sizeof(request) - 1 - cut);
                client_read(fd, &r, false);
                assert_int_equal(r.status, 200);
                assert_memory_equal(r.body + r.body_len - 14, "11:hello\0world", 14);
                reply_free(&r);
                close(fd);
        }
}

/* Each byte is sent and read separately. */
static void requests_may_arrive_a_byte_at_a_time(void **state)
{
        static const char text[] = "POST /echo?1 HTTP/1.1\r\nHost: h\r\nX-Note: n\r\nTransfer-Encoding: chunked\r\n\r\n"
                                   "3;x\r\nabc\r\n2\r\nde\r\n0\r\nT: x\r\n\r\n"
                                   "PUT /echo?2 HTTP/1.1\r\nHost: h\r\nContent-Length: 3\r\n\r\nfgh"
                                   "GET /echo?3 HTTP/1.1\r\nHost: h\r\n\r\n";
        int fd = client_open(&f);
        for (size_t i = 0; i < sizeof(text) - 1; i++) {
                client_send(fd, text + i, 1);
                client_wait_taken(fd);
        }
        client_expect(fd, 200, "POST /echo?1 [127.0.0.1] note=n 5:abcde");
        client_expect(fd, 200, "PUT /echo?2 [127.0.0.1] note= 3:fgh");
        client_expect(fd, 200, "GET /echo?3 [127.0.0.1] note= 0:");
        close(fd);
}

static void pipelined_requests_may_be_split_anywhere(void **state)
{
        static const char text[] = "GET /echo?1 HTTP/1.1\r\nHost: h\r\n\r\n"
                                   "POST /echo?2 HTTP/1.1\r\nHost: h\r\nTransfer-Encoding: chunked\r\n\r\n"
                                   "3\r\nabc\r\n0\r\n\r\n"
                                   "POST /echo?3 HTTP/1.1\r\nHost: h\r\nContent-Length: 2\r\n\r\nhi"
                                   "GET /inline HTTP/1.1\r\nHost: h\r\n\r\n";
        for (size_t cut = 0; cut < sizeof(text); cut++) {
                int fd = client_open(&f);
                client_send(fd, text, cut);
                client_wait_taken(fd);
                client_send(fd, text + cut, sizeof(text) - 1 - cut);
                client_expect(fd, 200, "GET /echo?1 [127.0.0.1] note= 0:");
                client_expect(fd, 200, "POST /echo?2 [127.0.0.1] note= 3:abc");
                client_expect(fd, 200, "POST /echo?3 [127.0.0.1] note= 2:hi");
                client_expect(fd, 503, "full");
                close(fd);
        }
}

static void a_chunked_body_arrives_complete(void **state)
{
        int fd = client_open(&f);
        client_send_text(fd, "POST /echo HTTP/1.1\r\nHost: h\r\nTransfer-Encoding: "
                             "chunked\r\n\r\n5;x=y\r\nhello\r\nA\r\n, world!!!\r\n0\r\nTrailer: x\r\n\r\n");
        client_expect(fd, 200, "POST /echo? [127.0.0.1] note= 15:hello, world!!!");
        client_send_text(fd, "POST /echo HTTP/1.1\r\nHost: h\r\nTransfer-Encoding: Chunked\r\n\r\n0\r\n\r\n");
        client_expect(fd, 200, "POST /echo? [127.0.0.1] note= 0:");
        close(fd);
}

static void a_large_body_arrives_complete(void **state)
{
        enum { BYTES = 5 << 20 };
        char *body = malloc(BYTES), head[100];
        struct reply r;
        for (size_t i = 0; i < BYTES; i++) {
                body[i] = (char)(i * 31 + (i >> 12));
        }
        int fd = client_open(&f);
        snprintf(head, sizeof(head), "PUT /big-body HTTP/1.1\r\nHost: h\r\nContent-Length: %d\r\n\r\n", BYTES);
        client_send_text(fd, head);
        client_send(fd, body, BYTES);
        client_read(fd, &r, false);
        assert_int_equal(r.status, 200);
        assert_memory_equal(r.body + r.body_len - BYTES, body, BYTES);
        reply_free(&r);
        free(body);
        close(fd);
}

static void a_large_response_arrives_complete(void **state)
{
        struct reply r;
        int fd = client_open(&f);
        for (int i = 0; i < 2; i++) {
                client_send_text(fd, "GET /big HTTP/1.1\r\nHost: h\r\n\r\n");
                client_read(fd, &r, false);
                assert_int_equal(r.status, 200);
                assert_int_equal(r.body_len, 20 << 20);
                assert_null(memchr(r.body, '\0', r.body_len));
                reply_free(&r);
        }
        close(fd);
}

static void bodies_on_get_head_and_delete_are_read(void **state)
{
        static const char *const methods[] = {"GET", "DELETE"};
        int fd = client_open(&f);
        for (size_t i = 0; i < 2; i++) {
                char request[200], expected[200];
                snprintf(request, sizeof(request), "%s /echo HTTP/1.1\r\nHost: h\r\nContent-Length: 3\r\n\r\nabc",
                         methods[i]);
                snprintf(expected, sizeof(expected), "%s /echo? [127.0.0.1] note= 3:abc", methods[i]);
                client_send_text(fd, request);
                client_expect(fd, 200, expected);
        }
        struct reply r;
        client_send_text(
            fd, "HEAD /echo HTTP/1.1\r\nHost: h\r\nContent-Length: 3\r\n\r\nabcGET /echo HTTP/1.1\r\nHost: h\r\n\r\n");
        client_read(fd, &r, true);
        assert_int_equal(r.status, 200);
        client_expect(fd, 200, "GET /echo? [127.0.0.1] note= 0:");
        close(fd);
}

static void head_is_answered_without_a_body(void **state)
{
        struct reply r;
        int fd = client_open(&f);
        client_send_text(fd, "HEAD /echo HTTP/1.1\r\nHost: h\r\n\r\n");
        client_read(fd, &r, true);
        assert_int_equal(r.status, 200);
        assert_true(reply_has(&r, "Content-Length: 32"));
        client_send_text(fd, "GET /empty HTTP/1.1\r\nHost: h\r\n\r\n"); /* no body data precedes its response */
        client_read(fd, &r, true);
        assert_int_equal(r.status, 204);
        assert_null(strcasestr(r.head, "Content-Length"));
        client_send_text(fd, "HEAD /refuse HTTP/1.1\r\nHost: h\r\n\r\n");
        client_read(fd, &r, true);
        assert_int_equal(r.status, 404);
        assert_true(reply_has(&r, "Content-Length: 8"));
        client_send_text(fd, "GET /unchanged HTTP/1.1\r\nHost: h\r\n\r\n");
        client_read(fd, &r, true);
        assert_int_equal(r.status, 304);
        assert_null(strcasestr(r.head, "Content-Length")); /* RFC 9110, 8.6: 0 would be wrong */
        client_send_text(fd, "GET /echo HTTP/1.1\r\nHost: h\r\n\r\n");
        client_expect(fd, 200, "GET /echo? [127.0.0.1] note= 0:");
        close(fd);
}

static void pipelined_requests_are_answered_in_order(void **state)
{
        int fd = client_open(&f);
        client_send_text(
            fd,
            "GET /block?1 HTTP/1.1\r\nHost: h\r\n\r\nPOST /echo?2 HTTP/1.1\r\nHost: h\r\nContent-Length: 2\r\n\r\nhi"
            "GET /inline?3 HTTP/1.1\r\nHost: h\r\n\r\nGET /echo?4 HTTP/1.1\r\nHost: h\r\n\r\n");
        fixture_wait_blocked(1);
        fixture_release();
        client_expect(fd, 200, "GET /block?1 [127.0.0.1] note= 0:");
        client_expect(fd, 200, "POST /echo?2 [127.0.0.1] note= 2:hi");
        client_expect(fd, 503, "full");
        client_expect(fd, 200, "GET /echo?4 [127.0.0.1] note= 0:");
        close(fd);
}

/* The I/O thread is blocked until everything has arrived, and then responds itself. */
static void a_client_with_many_requests_takes_turns_with_others(void **state)
{
        struct http_options options = fixture_options();
        struct fixture one;
        static const char request[] = "GET /hold HTTP/1.1\r\nHost: h\r\n\r\n";
        char requests[100 * (sizeof(request) - 1)];
        options.io_threads = 1;
        fixture_start(&one, &options);
        int other = client_open(&one), fd = client_open(&one);
        client_send_text(other, "GET /inline HTTP/1.1\r\nHost: h\r\n\r\n");
        client_expect(other, 503, "full");
        for (int i = 0; i < 100; i++) {
                memcpy(requests + i * (sizeof(request) - 1), request, sizeof(request) - 1);
        }
        client_send(fd, requests, sizeof(requests));
        fixture_wait_blocked(1);
        client_send_text(other, request);
        fixture_release();
        struct reply r;
        client_read(other, &r, false);
        assert_in_range(strtol(r.body, NULL, 10), 1, 4);
        reply_free(&r);
        for (int i = 0; i < 100; i++) {
                client_expect(fd, 200, NULL);
        }
        close(fd);
        close(other);
        fixture_stop(&one);
}

static void many_pipelined_requests_are_all_answered(void **state)
{
        enum { N = 300 };
        int fd = client_open(&f);
        for (int i = 0; i < N; i++) {
                char request[100];
                snprintf(request, sizeof(request), "GET /echo?%d HTTP/1.1\r\nHost: h\r\n\r\n", i);
                client_send_text(fd, request);
        }
        for (int i = 0; i < N; i++) {
                char expected[100];
                snprintf(expected, sizeof(expected), "GET /echo?%d [127.0.0.1] note= 0:", i);
                client_expect(fd, 200, expected);
        }
        close(fd);
}

/* More than the server reads ahead, while no response is read. */
static void a_flood_of_pipelined_requests_is_answered_as_the_client_reads(void **state)
{
        enum { N = 20000 };
        static const char request[] = "POST /echo HTTP/1.1\r\nHost: h\r\nContent-Length: 3\r\n\r\nabc";
        int fd = client_open(&f), flags = fcntl(fd, F_GETFL);
        size_t sent = 0, answered = 0;
        while (answered < N) {
                fcntl(fd, F_SETFL, flags | O_NONBLOCK);
                while (sent < N * (sizeof(request) - 1)) {
                        size_t at = sent % (sizeof(request) - 1);
                        ssize_t n = send(fd, request + at, sizeof(request) - 1 - at, MSG_NOSIGNAL);
                        if (n < 0) {
                                break;
                        }
                        sent += (size_t)n;
                }
                fcntl(fd, F_SETFL, flags);
                for (size_t whole = sent / (sizeof(request) - 1); answered < whole; answered++) {
                        client_expect(fd, 200, "POST /echo? [127.0.0.1] note= 3:abc");
                }
        }
        close(fd);
}

static void http_1_0_closes_unless_the_client_asks_to_keep_alive(void **state)
{
        struct reply r;
        int fd = client_open(&f);
        client_send_text(fd, "GET /echo HTTP/1.0\r\nConnection: keep-alive\r\n\r\n");
        client_read(fd, &r, false);
        assert_int_equal(r.status, 200);
        assert_true(reply_has(&r, "Connection: Keep-Alive"));
        reply_free(&r);
        client_send_text(fd, "GET /echo HTTP/1.0\r\n\r\n");
        client_expect(fd, 200, "GET /echo? [127.0.0.1] note= 0:");
        client_expect_end(fd);
}

static void connection_close_is_honoured(void **state)
{
        struct reply r;
        int fd = client_open(&f);
        client_send_text(fd, "GET /echo HTTP/1.1\r\nHost: h\r\nConnection: close\r\n\r\n");
        client_read(fd, &r, false);
        assert_true(reply_has(&r, "Connection: close"));
        reply_free(&r);
        client_expect_end(fd);
}

static void the_head_of_a_response_has_the_required_headers(void **state)
{
        struct reply r;
        int fd = client_open(&f);
        client_send_text(fd, "GET /echo HTTP/1.1\r\nHost: h\r\n\r\n");
        client_read(fd, &r, false);
        assert_memory_equal(r.head, "HTTP/1.1 200 OK\r\n", 17);
        const char *date = strcasestr(r.head, "\nDate: ");
        struct tm t;
        assert_non_null(date);
        assert_non_null(strptime(date + 7, "%a, %d %b %Y %H:%M:%S GMT\r\n", &t));
        assert_null(strcasestr(r.head, "\nConnection:"));
        reply_free(&r);
        close(fd);
}

static void connection_options_are_read_from_lists_regardless_of_case(void **state)
{
        struct reply r;
        int fd = client_open(&f);
        client_send_text(fd, "GET /echo HTTP/1.0\r\nConnection: foo , KEEP-alive\r\n\r\n");
        client_read(fd, &r, false);
        assert_true(reply_has(&r, "Connection: Keep-Alive"));
        reply_free(&r);
        client_send_text(fd, "GET /echo HTTP/1.1\r\nHost: h\r\nConnection: x\r\nConnection: keep-alive,Close\r\n\r\n");
        client_expect(fd, 200, NULL);
        client_expect_end(fd);
}

static void expect_continue_is_answered_before_the_body(void **state)
{
        struct reply r;
        int fd = client_open(&f);
        client_send_text(fd, "POST /echo HTTP/1.1\r\nHost: h\r\nExpect: 100-continue\r\nContent-Length: 2\r\n\r\n");
        client_read(fd, &r, true);
        assert_int_equal(r.status, 100);
        client_send_text(fd, "ok");
        client_expect(fd, 200, "POST /echo? [127.0.0.1] note= 2:ok");
        client_send_text(fd, "POST /limit HTTP/1.1\r\nHost: h\r\nExpect: 100-continue\r\nContent-Length: 101\r\n\r\n");
        client_expect(fd, 413, NULL); /* and no 100 before it */
        client_expect_end(fd);
}

static void clients_that_send_the_body_at_once_or_use_http_1_0_get_no_100(void **state)
{
        int fd = client_open(&f);
        client_send_text(fd, "POST /echo HTTP/1.1\r\nHost: h\r\nExpect: 100-Continue\r\nContent-Length: 2\r\n\r\nok");
        client_expect(fd, 200, "POST /echo? [127.0.0.1] note= 2:ok");
        client_send_text(fd, "GET /echo HTTP/1.1\r\nHost: h\r\nExpect: 100-continue\r\n\r\n");
        client_expect(fd, 200, "GET /echo? [127.0.0.1] note= 0:");
        client_send_text(fd, "POST /echo HTTP/1.0\r\nExpect: 100-continue\r\nContent-Length: 2\r\n\r\n");
        client_wait_taken(fd);
        client_send_text(fd, "ok");
        client_expect(fd, 200, "POST /echo? [127.0.0.1] note= 2:ok");
        client_expect_end(fd);
}

static void a_header_cannot_be_smuggled_into_a_response(void **state)
{
        struct reply r;
        int fd = client_open(&f);
        client_send_text(fd, "GET /inject HTTP/1.1\r\nHost: h\r\n\r\n");
        client_read(fd, &r, false);
        assert_true(reply_has(&r, "X-Good: yes"));
        assert_null(strcasestr(r.head, "smuggled"));
        reply_free(&r);
        close(fd);
}

static void a_body_that_overflowed_is_not_sent(void **state)
{
        int fd = client_open(&f);
        client_send_text(fd, "GET /overflow HTTP/1.1\r\nHost: h\r\n\r\n");
        client_expect(fd, 500, "");
        close(fd);
}

static void sixty_four_headers_fit(void **state)
{
        int fd = client_open(&f);
        client_send_text(fd, "GET /echo HTTP/1.1\r\nHost: h\r\n");
        for (int i = 0; i < HTTP_MAX_HEADERS - 2; i++) {
                client_send_text(fd, "A: b\r\n");
        }
        client_send_text(fd, "X-Note: last\r\n\r\n");
        client_expect(fd, 200, "GET /echo? [127.0.0.1] note=last 0:");
        close(fd);
}

int main(void)
{
        const struct CMUnitTest tests[] = {
            cmocka_unit_test(a_worker_sees_the_request_as_it_was_sent),
            cmocka_unit_test(a_body_arrives_complete_however_it_is_split),
            cmocka_unit_test(requests_may_arrive_a_byte_at_a_time),
            cmocka_unit_test(pipelined_requests_may_be_split_anywhere),
            cmocka_unit_test(a_chunked_body_arrives_complete),
            cmocka_unit_test(a_large_body_arrives_complete),
            cmocka_unit_test(a_large_response_arrives_complete),
            cmocka_unit_test(bodies_on_get_head_and_delete_are_read),
            cmocka_unit_test(head_is_answered_without_a_body),
            cmocka_unit_test(pipelined_requests_are_answered_in_order),
            cmocka_unit_test(many_pipelined_requests_are_all_answered),
            cmocka_unit_test(a_flood_of_pipelined_requests_is_answered_as_the_client_reads),
            cmocka_unit_test(http_1_0_closes_unless_the_client_asks_to_keep_alive),
            cmocka_unit_test(connection_close_is_honoured),
            cmocka_unit_test(the_head_of_a_response_has_the_required_headers),
            cmocka_unit_test(connection_options_are_read_from_lists_regardless_of_case),
            cmocka_unit_test(expect_continue_is_answered_before_the_body),
            cmocka_unit_test(clients_that_send_the_body_at_once_or_use_http_1_0_get_no_100),
            cmocka_unit_test(a_header_cannot_be_smuggled_into_a_response),
            cmocka_unit_test(a_body_that_overflowed_is_not_sent),
            cmocka_unit_test(sixty_four_headers_fit),
        };
        const struct CMUnitTest with_one_thread[] = {
            cmocka_unit_test(a_client_with_many_requests_takes_turns_with_others),
        };
        return cmocka_run_group_tests_name("http requests", tests, setup, teardown) +
               cmocka_run_group_tests_name("http requests with one thread", with_one_thread, NULL, NULL);
}
