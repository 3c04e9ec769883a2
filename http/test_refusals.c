/* Requests that the server itself rejects: malicious and careless ones. In each case the connection is closed
 * afterwards, so that nothing after the request can pass as another one. */
#include "http/test_support.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>
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

/* The owner's response, and the end of the connection. */
static void assert_refused_bytes(const char *request, size_t len, int status)
{
        struct reply r;
        int fd = client_open(&f);
        client_send(fd, request, len);
        client_read(fd, &r, false);
        if (r.status != status) {
                fail_msg("%.*s\ngot: %s%s", (int)len, request, r.head, r.body == NULL ? "" : r.body);
        }
        assert_true(reply_has(&r, "Connection: close"));
        assert_true(reply_has(&r, "Content-Type: application/problem+json"));
        char expected[20];
        snprintf(expected, sizeof(expected), "refused %d: ", status);
        assert_memory_equal(r.body, expected, strlen(expected));
        reply_free(&r);
        client_expect_end(fd);
}

#define ASSERT_REFUSED(status, request) assert_refused_bytes((request), sizeof(request) - 1, (status))

static void a_body_over_the_limit_is_rejected_before_it_is_sent(void **state)
{
        ASSERT_REFUSED(413, "POST /limit HTTP/1.1\r\nHost: h\r\nContent-Length: 101\r\n\r\n");
        ASSERT_REFUSED(413, "GET /limit HTTP/1.1\r\nHost: h\r\nContent-Length: 101\r\n\r\n");
        ASSERT_REFUSED(413, "POST /echo HTTP/1.1\r\nHost: h\r\nContent-Length: 999999999999999999\r\n\r\n");
        int fd = client_open(&f);
        char body[101];
        memset(body, 'x', 100);
        body[100] = '\0';
        client_send_text(fd, "POST /limit HTTP/1.1\r\nHost: h\r\nContent-Length: 100\r\n\r\n");
        client_send_text(fd, body);
        client_expect(fd, 200, NULL);
        close(fd);
}

static void a_chunked_body_over_the_limit_is_rejected_where_it_exceeds_it(void **state)
{
        ASSERT_REFUSED(
            413,
            "POST /limit HTTP/1.1\r\nHost: h\r\nTransfer-Encoding: chunked\r\n\r\n"
            "60\r\n123456789012345678901234567890123456789012345678901234567890123456789012345678901234567890123456\r\n"
            "5\r\nabcde\r\n");
}

static void an_error_reaches_a_client_that_is_still_sending(void **state)
{
        enum { BYTES = 3 << 20 };
        char *body = calloc(1, BYTES);
        for (int i = 0; i < 20; i++) {
                char head[100];
                int fd = client_open(&f);
                snprintf(head, sizeof(head), "POST /limit HTTP/1.1\r\nHost: h\r\nContent-Length: %d\r\n\r\n", BYTES);
                client_send_text(fd, head);
                client_send(fd, body, BYTES);
                client_expect(fd, 413, NULL);
                close(fd);
        }
        free(body);
}

static void conflicting_lengths_are_rejected(void **state)
{
        ASSERT_REFUSED(400, "POST /echo HTTP/1.1\r\nHost: h\r\nContent-Length: 5\r\nContent-Length: 6\r\n\r\nhello");
        ASSERT_REFUSED(400, "POST /echo HTTP/1.1\r\nHost: h\r\nContent-Length: 5\r\nContent-Length: 5\r\n\r\nhello");
        ASSERT_REFUSED(400, "POST /echo HTTP/1.1\r\nHost: h\r\nContent-Length: 5\r\ncontent-length: x\r\n\r\nhello");
        ASSERT_REFUSED(
            400, "POST /echo HTTP/1.1\r\nHost: h\r\nContent-Length: 5\r\nTransfer-Encoding: chunked\r\n\r\n0\r\n\r\n");
        ASSERT_REFUSED(
            400, "POST /echo HTTP/1.1\r\nHost: h\r\nTransfer-Encoding: chunked\r\nContent-Length: -1\r\n\r\n0\r\n\r\n");
        ASSERT_REFUSED(400, "POST /echo HTTP/1.1\r\nHost: h\r\nTransfer-Encoding: chunked\r\nTransfer-Encoding: "
                            "chunked\r\n\r\n0\r\n\r\n");
        ASSERT_REFUSED(400, "POST /echo HTTP/1.0\r\nTransfer-Encoding: chunked\r\n\r\n0\r\n\r\n");
}

static void transfer_encodings_other_than_chunked_are_rejected(void **state)
{
        ASSERT_REFUSED(501, "POST /echo HTTP/1.1\r\nHost: h\r\nTransfer-Encoding: gzip, chunked\r\n\r\n0\r\n\r\n");
        ASSERT_REFUSED(501, "POST /echo HTTP/1.1\r\nHost: h\r\nTransfer-Encoding: identity\r\n\r\n");
        ASSERT_REFUSED(501, "POST /echo HTTP/1.1\r\nHost: h\r\nTransfer-Encoding:\r\n\r\n");
}

static void other_expectations_are_rejected(void **state)
{
        ASSERT_REFUSED(417, "POST /echo HTTP/1.1\r\nHost: h\r\nExpect: 200-ok\r\nContent-Length: 1\r\n\r\n");
}

static void assert_refused_text(const char *text, int status)
{
        assert_refused_bytes(text, strlen(text), status);
}

static void invalid_lengths_are_rejected(void **state)
{
        static const char *const lengths[] = {"-1",  "+1",  "+5",   "abc",   "1x",  "x",   "",        "0x10",
                                              "1 2", "1,1", "5, 5", "\"5\"", "1.0", "1e3", "\xc2\xb2"};
        char request[200];
        for (size_t i = 0; i < sizeof(lengths) / sizeof(lengths[0]); i++) {
                snprintf(
                    request, sizeof(request),
                    "POST /echo HTTP/1.1\r\nHost: h\r\nContent-Length: %s\r\n\r\nGET /echo HTTP/1.1\r\nHost: h\r\n\r\n",
                    lengths[i]);
                assert_refused_text(request, 400);
        }
}

static void overflowing_lengths_are_too_large(void **state)
{
        ASSERT_REFUSED(413, "POST /echo HTTP/1.1\r\nHost: h\r\nContent-Length: 99999999999999999999\r\n\r\n");
        ASSERT_REFUSED(413, "POST /echo HTTP/1.1\r\nHost: h\r\nContent-Length: 18446744073709551616\r\n\r\n");
        ASSERT_REFUSED(413, "POST /echo HTTP/1.1\r\nHost: h\r\nContent-Length: 18446744073709551617\r\n\r\nx");
        ASSERT_REFUSED(413, "POST /echo HTTP/1.1\r\nHost: h\r\nContent-Length: 184467440737095516170\r\n\r\nx");
}

static void malformed_chunks_are_rejected(void **state)
{
        static const char *const chunks[] = {"x\r\n",
                                             "-1\r\n",
                                             "5\r\nhello!\r\n",
                                             "\r\n",
                                             "0x5\r\nhello\r\n",
                                             "ffffffffffffffffff\r\n",
                                             " 5\r\nhello\r\n",
                                             "5 \r\nhello\r\n",
                                             "+5\r\nhello\r\n",
                                             "5\nhello\r\n",
                                             "5\rhello\r\n",
                                             ";x\r\nhello\r\n",
                                             "5;x\x01\r\nhello\r\n",
                                             "5;x\nhello\r\n",
                                             "5\r\nhello\n0\r\n\r\n",
                                             "5\r\nhello\r0\r\n\r\n",
                                             "5\r\nhello0\r\n\r\n",
                                             "0\r\nno colon\r\n\r\n",
                                             "0\r\n: no name\r\n\r\n",
                                             "0\r\nA: b\r\n folded\r\n\r\n",
                                             "0\r\nA : b\r\n\r\n",
                                             "0\r\nA: b\x02\r\n\r\n",
                                             "0\r\nA: b\n\r\n"};
        char request[200];
        for (size_t i = 0; i < sizeof(chunks) / sizeof(chunks[0]); i++) {
                snprintf(request, sizeof(request),
                         "POST /echo HTTP/1.1\r\nHost: h\r\nTransfer-Encoding: chunked\r\n\r\n%s", chunks[i]);
                assert_refused_text(request, 400);
        }
        ASSERT_REFUSED(413, "POST /echo HTTP/1.1\r\nHost: h\r\nTransfer-Encoding: chunked\r\n\r\nfffffffffffffff\r\n");
}

static void chunks_with_more_overhead_than_data_are_rejected(void **state)
{
        static const char *const fillers[] = {"0", "1;", "1 ", "0\r\nA: ", "0\r\nA"};
        for (size_t i = 0; i < sizeof(fillers) / sizeof(fillers[0]); i++) {
                struct buf request;
                buf_init(&request, 100000);
                buf_append_c(&request, "POST /echo HTTP/1.1\r\nHost: h\r\nTransfer-Encoding: chunked\r\n\r\n");
                buf_append_c(&request, fillers[i]);
                for (int n = 0; n < 20000; n++) {
                        buf_append_char(&request, fillers[i][strlen(fillers[i]) - 1]);
                }
                assert_refused_bytes(request.data, request.len, 400);
                buf_free(&request);
        }
}

static void http_1_1_requires_exactly_one_host(void **state)
{
        ASSERT_REFUSED(400, "GET /echo HTTP/1.1\r\n\r\n");
        ASSERT_REFUSED(400, "GET /echo HTTP/1.1\r\nX-Note: a\r\n\r\n");
        ASSERT_REFUSED(400, "GET /echo HTTP/1.1\r\nHost: a\r\nHost: a\r\n\r\n");
        ASSERT_REFUSED(400, "GET /echo HTTP/1.1\r\nHost: a b\r\n\r\n");
        ASSERT_REFUSED(400, "GET /echo HTTP/1.0\r\nHost: a\r\nHost: b\r\n\r\n");
}

static void nul_and_control_characters_are_rejected(void **state)
{
        ASSERT_REFUSED(400, "GET /ec\0ho HTTP/1.1\r\nHost: h\r\n\r\n");
        ASSERT_REFUSED(400, "GET /ec\x01ho HTTP/1.1\r\nHost: h\r\n\r\n");
        ASSERT_REFUSED(400, "GET /ec\x7fho HTTP/1.1\r\nHost: h\r\n\r\n");
        ASSERT_REFUSED(400, "GET /ec\tho HTTP/1.1\r\nHost: h\r\n\r\n");
        ASSERT_REFUSED(400, "GET /ec\rho HTTP/1.1\r\nHost: h\r\n\r\n");
        ASSERT_REFUSED(400, "GE\0T /echo HTTP/1.1\r\nHost: h\r\n\r\n");
        ASSERT_REFUSED(400, "G\x01T /echo HTTP/1.1\r\nHost: h\r\n\r\n");
        ASSERT_REFUSED(400, "GET /echo HTTP/1.1\r\nHost: h\r\nX-Note: a\0b\r\n\r\n");
        ASSERT_REFUSED(400, "GET /echo HTTP/1.1\r\nHost: h\r\nX-Note: a\0\r\n\r\n");
        ASSERT_REFUSED(400, "GET /echo HTTP/1.1\r\nHost: h\0\r\nX-Note: a\r\n\r\n");
        ASSERT_REFUSED(400, "GET /echo HTTP/1.1\r\nHost: h\r\nX-Note: a\0\0Y: c\r\n\r\n");
        ASSERT_REFUSED(400, "GET /echo HTTP/1.1\r\nHost: h\r\nX-Note: \0\r\n\r\n");
        ASSERT_REFUSED(400, "GET /echo HTTP/1.1\r\nHost: h\r\nX-Note: a\x0b\r\n\r\n");
        ASSERT_REFUSED(400, "GET /echo HTTP/1.1\r\nHost: h\r\nX-Note: a\rb\r\n\r\n");
        ASSERT_REFUSED(400, "GET /echo HTTP/1.1\r\nHost: h\r\nX-Note: a\x7f\r\n\r\n");
        ASSERT_REFUSED(400, "GET /echo HTTP/1.1\r\nHost: h\r\nX-N\x01te: a\r\n\r\n");
}

static void ambiguous_header_lines_are_rejected(void **state)
{
        ASSERT_REFUSED(400, "POST /echo HTTP/1.1\r\nHost: h\r\nContent-Length : 5\r\n\r\nhello");
        ASSERT_REFUSED(400, "POST /echo HTTP/1.1\r\nHost: h\r\n Content-Length: 5\r\n\r\nhello");
        ASSERT_REFUSED(400, "POST /echo HTTP/1.1\r\nHost: h\r\nX-Note: a\r\n folded\r\n\r\n");
        ASSERT_REFUSED(400, "POST /echo HTTP/1.1\r\nHost: h\r\nX-Note: a\r\n\tTransfer-Encoding: chunked\r\n\r\n");
        ASSERT_REFUSED(400, "POST /echo HTTP/1.1\r\nHost: h\r\n: a\r\n\r\n");
        ASSERT_REFUSED(400, "POST /echo HTTP/1.1\r\nHost: h\r\nX(Note): a\r\n\r\n");
        ASSERT_REFUSED(400, "POST /echo HTTP/1.1\r\nHost: h\r\nX-Not\xc3\xa9: a\r\n\r\n");
}

static void ambiguous_request_lines_are_rejected(void **state)
{
        ASSERT_REFUSED(400, "GET  /echo HTTP/1.1\r\nHost: h\r\n\r\n");
        ASSERT_REFUSED(400, "GET /echo  HTTP/1.1\r\nHost: h\r\n\r\n");
        ASSERT_REFUSED(400, "GET /echo /x HTTP/1.1\r\nHost: h\r\n\r\n");
        ASSERT_REFUSED(400, "GET echo HTTP/1.1\r\nHost: h\r\n\r\n");
        ASSERT_REFUSED(400, "GET * HTTP/1.1\r\nHost: h\r\n\r\n");
        ASSERT_REFUSED(400, "GET /echo#part HTTP/1.1\r\nHost: h\r\n\r\n");
        ASSERT_REFUSED(400, "GET /caf\xc3\xa9 HTTP/1.1\r\nHost: h\r\n\r\n");
        ASSERT_REFUSED(400, "GET http:///echo HTTP/1.1\r\nHost: h\r\n\r\n");
        ASSERT_REFUSED(400, "GET ftp://h/echo HTTP/1.1\r\nHost: h\r\n\r\n");
        ASSERT_REFUSED(400, "CONNECT h:80 HTTP/1.1\r\nHost: h\r\n\r\n");
        ASSERT_REFUSED(400, "G(T /echo HTTP/1.1\r\nHost: h\r\n\r\n");
}

static void invalid_hosts_are_rejected(void **state)
{
        static const char *const hosts[] = {"a b", "a/b", "user@h", "a\\b", "\"h\"", "a?b", "a#b", "<h>", "h\xc3\xa9"};
        char request[200];
        for (size_t i = 0; i < sizeof(hosts) / sizeof(hosts[0]); i++) {
                snprintf(request, sizeof(request), "GET /echo HTTP/1.1\r\nHost: %s\r\n\r\n", hosts[i]);
                assert_refused_text(request, 400);
                if (strpbrk(hosts[i], " /?") == NULL) {
                        snprintf(request, sizeof(request), "GET http://%s/ HTTP/1.1\r\nHost: h\r\n\r\n", hosts[i]);
                        assert_refused_text(request, 400);
                }
        }
}

static void lines_end_with_cr_lf_and_contain_neither(void **state)
{
        ASSERT_REFUSED(400, "GET /echo HTTP/1.1\nHost: h\r\n\r\n");
        ASSERT_REFUSED(400, "GET /echo HTTP/1.1\r\nHost: h\n\r\n");
        ASSERT_REFUSED(400, "GET /echo HTTP/1.1\r\nHost: h\r\n\n");
        ASSERT_REFUSED(400, "GET /echo HTTP/1.1\rHost: h\r\n\r\n");
        ASSERT_REFUSED(400, "GET /echo HTTP/1.1\r\nHost: h\r\r\n\r\n");
        ASSERT_REFUSED(400, "GET /echo HTTP/1.1\r\nHost: h\r\n\rX");
        ASSERT_REFUSED(400, "\nGET /echo HTTP/1.1\r\nHost: h\r\n\r\n");
        ASSERT_REFUSED(400, "\r\n\r\nGET /echo HTTP/1.1\r\nHost: h\r\n\r\n");
}

static void non_http_1_requests_are_rejected(void **state)
{
        static const char *const requests[] = {"GET\r\n\r\n",
                                               "GET /echo\r\n\r\n",
                                               "\x16\x03\x01\x02",
                                               "GET /echo http/1.1\r\n\r\n",
                                               "GET /echo HTTP/1.1 x\r\n\r\n",
                                               "GET /echo HTTP/1.10\r\n\r\n",
                                               "GET /echo HTTP/11\r\n\r\n",
                                               "GET /echo HTTP/x.y\r\n\r\n",
                                               "GET /echo HTCPCP/1.0\r\n\r\n",
                                               "GET /echo HTTP/1.1\r\nno colon\r\n\r\n"};
        for (size_t i = 0; i < sizeof(requests) / sizeof(requests[0]); i++) {
                assert_refused_text(requests[i], 400);
        }
}

static void other_versions_of_http_are_rejected(void **state)
{
        ASSERT_REFUSED(505, "GET /echo HTTP/2.0\r\nHost: h\r\n\r\n");
        ASSERT_REFUSED(505, "GET /echo HTTP/1.9\r\nHost: h\r\n\r\n");
        ASSERT_REFUSED(505, "GET /echo HTTP/0.9\r\n\r\n");
        ASSERT_REFUSED(505, "PRI * HTTP/2.0\r\n\r\nXX\r\n\r\n"); /* with SM it would be HTTP/2 */
}

/* However large, the client receives the reason. */
static void headers_over_the_limit_are_rejected(void **state)
{
        static const size_t sizes[] = {8192, 8300, 12000, 60000, 1000000};
        for (size_t i = 0; i < sizeof(sizes) / sizeof(sizes[0]); i++) {
                struct buf request;
                buf_init(&request, sizes[i] + 100);
                char *text = malloc(sizes[i]);
                memset(text, 'a', sizes[i]);
                buf_append_c(&request, "GET /echo HTTP/1.1\r\nHost: h\r\nX-Note: ");
                buf_append(&request, text, sizes[i]);
                buf_append_c(&request, "\r\n\r\n");
                assert_refused_bytes(request.data, request.len, 431);
                buf_reset(&request);
                buf_append_c(&request, "GET /");
                buf_append(&request, text, sizes[i]);
                buf_append_c(&request, " HTTP/1.1\r\nHost: h\r\n\r\n");
                assert_refused_bytes(request.data, request.len, 414);
                buf_free(&request);
                free(text);
        }
}

/* Padded with a header to exactly this size. */
static void a_head_of_exactly_the_limit_is_accepted(void **state)
{
        for (int over = 0; over < 2; over++) {
                struct buf request;
                buf_init(&request, 10000);
                buf_append_c(&request, "GET /echo HTTP/1.1\r\nHost: h\r\nX: ");
                while (request.len < (size_t)8192 - 4 + (size_t)over) {
                        buf_append_char(&request, 'x');
                }
                buf_append_c(&request, "\r\n\r\n");
                if (over == 0) {
                        int fd = client_open(&f);
                        client_send(fd, request.data, request.len);
                        client_expect(fd, 200, NULL);
                        close(fd);
                } else {
                        assert_refused_bytes(request.data, request.len, 431);
                }
                buf_free(&request);
        }
}

static void too_many_headers_are_rejected(void **state)
{
        struct buf request;
        buf_init(&request, 8192);
        buf_append_c(&request, "GET /echo HTTP/1.1\r\nHost: h\r\n");
        for (int i = 0; i < HTTP_MAX_HEADERS; i++) {
                buf_append_c(&request, "A: b\r\n");
        }
        buf_append_c(&request, "\r\n");
        assert_refused_bytes(request.data, request.len, 431);
        buf_free(&request);
}

static void thousands_of_tiny_headers_are_rejected(void **state)
{
        struct buf request;
        buf_init(&request, 10000);
        buf_append_c(&request, "GET /echo HTTP/1.1\r\nHost: h\r\n");
        for (int i = 0; i < 1900; i++) {
                buf_append_c(&request, "a:\r\n");
        }
        buf_append_c(&request, "\r\n");
        assert_refused_bytes(request.data, request.len, 431);
        buf_free(&request);
}

static void an_error_for_head_has_no_body(void **state)
{
        struct reply r;
        int fd = client_open(&f);
        client_send_text(fd, "HEAD /echo HTTP/1.1\r\nHost: h\r\nBad Name: x\r\n\r\n");
        client_read(fd, &r, true);
        assert_int_equal(r.status, 400);
        client_expect_end(fd);
}

/* Requests before the rejected one get a response, those after it do not. */
static void an_error_in_pipelined_requests_is_the_last_response(void **state)
{
        int fd = client_open(&f);
        client_send_text(fd, "GET /echo?1 HTTP/1.1\r\nHost: h\r\n\r\nGET /echo HTTP/1.1\r\n\r\n"
                             "GET /echo?3 HTTP/1.1\r\nHost: h\r\n\r\n");
        client_expect(fd, 200, "GET /echo?1 [127.0.0.1] note= 0:");
        client_expect(fd, 400, NULL);
        client_expect_end(fd);
}

static void thousands_of_parameters_are_not_parsed(void **state)
{
        int fd = client_open(&f);
        client_send_text(fd, "GET /echo?");
        for (int i = 0; i < 4000; i++) {
                client_send_text(fd, "a&");
        }
        client_send_text(fd, " HTTP/1.1\r\nHost: h\r\n\r\n");
        client_expect(fd, 200, NULL);
        client_send_text(fd, "GET /echo? HTTP/1.1\r\nHost: h\r\n\r\n");
        client_expect(fd, 200, "GET /echo? [127.0.0.1] note= 0:");
        close(fd);
}

static void the_owner_can_reject_before_the_body(void **state)
{
        struct reply r;
        int fd = client_open(&f);
        client_send_text(fd, "POST /refuse HTTP/1.1\r\nHost: h\r\nContent-Length: 500\r\n\r\n");
        client_read(fd, &r, false);
        assert_int_equal(r.status, 404);
        assert_true(reply_has(&r, "Connection: close"));
        assert_string_equal(r.body, "not here");
        reply_free(&r);
        client_expect_end(fd);
}

static void a_bodyless_request_rejected_by_its_headers_keeps_the_connection(void **state)
{
        struct reply r;
        int fd = client_open(&f);
        client_send_text(fd, "OPTIONS /refuse HTTP/1.1\r\nHost: h\r\n\r\n"
                             "POST /refuse HTTP/1.1\r\nHost: h\r\nContent-Length: 0\r\n\r\n"
                             "GET /echo?3 HTTP/1.1\r\nHost: h\r\n\r\n");
        for (int i = 0; i < 2; i++) {
                client_read(fd, &r, false);
                assert_int_equal(r.status, 404);
                assert_false(reply_has(&r, "Connection: close"));
                reply_free(&r);
        }
        client_expect(fd, 200, "GET /echo?3 [127.0.0.1] note= 0:");
        client_send_text(fd, "GET /refuse HTTP/1.1\r\nHost: h\r\nConnection: close\r\n\r\n");
        client_expect(fd, 404, "not here");
        client_expect_end(fd);
}

static void connections_over_the_limit_get_an_error(void **state)
{
        struct fixture small;
        struct http_options o = fixture_options();
        o.max_connections = 3;
        fixture_stop(&f);
        fixture_start(&small, &o);
        int fds[3];
        for (int i = 0; i < 3; i++) {
                fds[i] = client_open(&small);
                client_send_text(fds[i], "GET /echo HTTP/1.1\r\nHost: h\r\n\r\n");
                client_expect(fds[i], 200, NULL);
        }
        int fd = client_open(&small);
        client_send_text(fd, "GET /echo HTTP/1.1\r\nHost: h\r\n\r\n");
        client_expect(fd, 503, NULL);
        client_expect_end(fd);
        for (int i = 0; i < 3; i++) { /* existing ones continue */
                client_send_text(fds[i], "GET /echo HTTP/1.1\r\nHost: h\r\n\r\n");
                client_expect(fds[i], 200, NULL);
                close(fds[i]);
        }
        fixture_stop(&small);
        fixture_start(&f, NULL);
}

int main(void)
{
        const struct CMUnitTest tests[] = {
            cmocka_unit_test(a_body_over_the_limit_is_rejected_before_it_is_sent),
            cmocka_unit_test(a_chunked_body_over_the_limit_is_rejected_where_it_exceeds_it),
            cmocka_unit_test(an_error_reaches_a_client_that_is_still_sending),
            cmocka_unit_test(conflicting_lengths_are_rejected),
            cmocka_unit_test(transfer_encodings_other_than_chunked_are_rejected),
            cmocka_unit_test(other_expectations_are_rejected),
            cmocka_unit_test(invalid_lengths_are_rejected),
            cmocka_unit_test(overflowing_lengths_are_too_large),
            cmocka_unit_test(malformed_chunks_are_rejected),
            cmocka_unit_test(chunks_with_more_overhead_than_data_are_rejected),
            cmocka_unit_test(invalid_hosts_are_rejected),
            cmocka_unit_test(lines_end_with_cr_lf_and_contain_neither),
            cmocka_unit_test(other_versions_of_http_are_rejected),
            cmocka_unit_test(a_head_of_exactly_the_limit_is_accepted),
            cmocka_unit_test(an_error_for_head_has_no_body),
            cmocka_unit_test(an_error_in_pipelined_requests_is_the_last_response),
            cmocka_unit_test(http_1_1_requires_exactly_one_host),
            cmocka_unit_test(nul_and_control_characters_are_rejected),
            cmocka_unit_test(ambiguous_header_lines_are_rejected),
            cmocka_unit_test(ambiguous_request_lines_are_rejected),
            cmocka_unit_test(non_http_1_requests_are_rejected),
            cmocka_unit_test(headers_over_the_limit_are_rejected),
            cmocka_unit_test(too_many_headers_are_rejected),
            cmocka_unit_test(thousands_of_tiny_headers_are_rejected),
            cmocka_unit_test(thousands_of_parameters_are_not_parsed),
            cmocka_unit_test(the_owner_can_reject_before_the_body),
            cmocka_unit_test(a_bodyless_request_rejected_by_its_headers_keeps_the_connection),
            cmocka_unit_test(connections_over_the_limit_get_an_error),
        };
        return cmocka_run_group_tests_name("http refusals", tests, setup, teardown);
}
