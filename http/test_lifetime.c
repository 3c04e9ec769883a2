/* Lifetimes of connections: slow clients, clients that vanish, and idle ones. */
#include "http/test_support.h"

#include <dirent.h>
#include <malloc.h>
#include <pthread.h>
#include <sched.h>
#include <stdatomic.h>
#include <stdio.h>
#include <arpa/inet.h>
#include <netinet/in.h>
#include <stdlib.h>
#include <string.h>
#include <sys/resource.h>
#include <sys/socket.h>
#include <sys/wait.h>
#include <unistd.h>

#include "base/clock.h"
#include "base/metrics.h"

static struct fixture f;

/* Sends text a byte at a time until the server closes the connection; true if it sent a reason. It is never idle for
 * that long. */
static bool drip(int fd, const char *text)
{
        for (;;) {
                struct reply r;
                char c;
                client_send(fd, text[0] == '\0' ? "x" : text, 1);
                text += text[0] != '\0';
                clock_sleep_ms(20);
                ssize_t n = recv(fd, &c, 1, MSG_PEEK | MSG_DONTWAIT);
                if (n == 0) {
                        return false;
                }
                if (n > 0) {
                        client_read(fd, &r, false);
                        assert_int_equal(r.status, 408);
                        assert_memory_equal(r.body, "refused 408", 11);
                        reply_free(&r);
                        return true;
                }
        }
}

/* What is sent at once, and what is sent a byte at a time without end. */
static void a_client_that_sends_its_request_very_slowly_is_dropped(void **state)
{
#define HEAD "POST /echo HTTP/1.1\r\nHost: h\r\n"
        static const char *const requests[][2] = {
            {"", "GET /a-path-without-end"}, /* no line is ever complete */
            {"", "\r\nGET /echo HTTP/1.1\r\nHost: h\r\nX-Note: "},
            {HEAD, "A: b\r\nA: b\r\nA: b\r\nA: b\r\nA: b\r\nX: "},
            {HEAD "Content-Length: 100000\r\n\r\n", ""},
            {HEAD "Transfer-Encoding: chunked\r\n\r\n", "0000000000000000000000001000\r\n"},
            {HEAD "Transfer-Encoding: chunked\r\n\r\n", "1\r\na\r\n1\r\nb\r\n1\r\nb\r\n1;"},
            {HEAD "Transfer-Encoding: chunked\r\n\r\n0\r\n", "Trailer: x\r\nTrailer: "},
        };
#undef HEAD
        fixture_start_limits(&f, 400, 60000);
        for (size_t i = 0; i < sizeof(requests) / sizeof(requests[0]); i++) {
                int fd = client_open(&f);
                client_send_text(fd, requests[i][0]);
                assert_true(drip(fd, requests[i][1]));
                client_expect_end(fd);
        }
        fixture_stop(&f);
}

static void a_client_that_sends_its_second_request_very_slowly_is_dropped(void **state)
{
        fixture_start_limits(&f, 400, 60000);
        for (int i = 0; i < 2; i++) {
                int fd = client_open(&f);
                client_send_text(fd, "GET /echo HTTP/1.1\r\nHost: h\r\n\r\n");
                client_expect(fd, 200, NULL);
                assert_true(drip(fd, i == 0 ? "GET /without-end" : "GET /echo HTTP/1.1\r\nHost: h\r\nX: "));
                client_expect_end(fd);
        }
        fixture_stop(&f);
}

static void a_client_that_stops_in_the_middle_is_dropped(void **state)
{
        static const char *const requests[] = {"G", "GET /echo HTTP/1.1\r\nHo",
                                               "POST /echo HTTP/1.1\r\nHost: h\r\nContent-Length: 10\r\n\r\nabc"};
        fixture_start_limits(&f, 300, 60000);
        for (size_t i = 0; i < sizeof(requests) / sizeof(requests[0]); i++) {
                int fd = client_open(&f);
                client_send_text(fd, requests[i]);
                client_expect(fd, 408, NULL);
                client_expect_end(fd);
        }
        fixture_stop(&f);
}

static void an_idle_connection_outlives_the_limit_for_slow_ones_and_is_closed_silently(void **state)
{
        fixture_start_limits(&f, 100, 1500);
        int64_t began_us = clock_monotonic_us();
        int fresh = client_open(&f), used = client_open(&f);
        client_send_text(used, "GET /echo HTTP/1.1\r\nHost: h\r\n\r\n");
        client_expect(used, 200, NULL);
        client_expect_end(fresh);
        client_expect_end(used);
        assert_true(clock_monotonic_us() - began_us >= 1500000);
        fixture_stop(&f);
}

static void a_half_closed_connection_is_closed(void **state)
{
        fixture_start_limits(&f, 10000, 600000);
        int fresh = client_open(&f), asking = client_open(&f);
        shutdown(fresh, SHUT_WR);
        client_send_text(asking, "GET /inline HTTP/1.1\r\nHost: h\r\n\r\n");
        shutdown(asking, SHUT_WR);
        client_expect(asking, 503, "full");
        client_expect_end(asking);
        client_expect_end(fresh);
        fixture_stop(&f);
}

static void a_client_that_half_closes_while_its_request_runs_gets_a_response(void **state)
{
        fixture_start_limits(&f, 10000, 600000);
        int fd = client_open(&f);
        client_send_text(fd, "GET /block?1 HTTP/1.1\r\nHost: h\r\n\r\nGET /echo?2 HTTP/1.1\r\nHost: h\r\n\r\nGET /ha");
        fixture_wait_blocked(1);
        shutdown(fd, SHUT_WR);
        fixture_release();
        client_expect(fd, 200, "GET /block?1 [127.0.0.1] note= 0:");
        client_expect(fd, 200, "GET /echo?2 [127.0.0.1] note= 0:");
        client_expect(fd, 400, "refused 400: The request ended before it was complete.");
        client_expect_end(fd); /* the incomplete one gets one error */
        WAIT_UNTIL(fixture_connections() == 0);
        fixture_stop(&f);
}

static void serve_one(void)
{
        int fd = client_open(&f);
        client_send_text(fd, "GET /empty HTTP/1.1\r\nHost: h\r\n\r\n");
        client_expect(fd, 204, NULL);
        close(fd);
}

static bool is_served(void)
{
        char answer[16] = "";
        int fd = client_open(&f);
        client_send_text(fd, "GET /empty HTTP/1.1\r\nHost: h\r\n\r\n");
        ssize_t n = recv(fd, answer, sizeof(answer) - 1, 0);
        close(fd);
        return n > 0 && strncmp(answer, "HTTP/1.1 204", 12) == 0;
}

/* Clients waiting to be accepted get an error at once, and the listener accepts again afterwards. One I/O thread: while
 * it rejects clients with its spare descriptor, a second one could use that for a client, and serve it. */
static void without_descriptors_clients_are_rejected_and_later_served(void **state)
{
        struct rlimit before;
        int fds[20];
        struct http_options options = fixture_options();
        options.io_threads = 1;
        fixture_start(&f, &options);
        serve_one(); /* the server has released its descriptor before the next are counted */
        WAIT_UNTIL(fixture_connections() == 0);
        for (int i = 0; i < 20; i++) {
                fds[i] = socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC, 0);
                assert_true(fds[i] >= 0);
        }
        int next = dup(0);
        close(next);
        assert_int_equal(getrlimit(RLIMIT_NOFILE, &before), 0);
        struct rlimit none = (struct rlimit){(rlim_t)next, before.rlim_max};
        assert_int_equal(setrlimit(RLIMIT_NOFILE, &none), 0);
        for (int i = 0; i < 20; i++) {
                struct sockaddr_in a = {.sin_family = AF_INET,
                                        .sin_port = htons((uint16_t)f.port),
                                        .sin_addr.s_addr = htonl(INADDR_LOOPBACK)};
                assert_int_equal(connect(fds[i], (struct sockaddr *)&a, sizeof(a)), 0);
        }
        for (int i = 0; i < 20; i++) {
                client_expect_end(fds[i]);
        }
        assert_int_equal(setrlimit(RLIMIT_NOFILE, &before), 0);
        WAIT_UNTIL(is_served()); /* one that arrives while the last are being rejected is rejected, too */
        fixture_stop(&f);
}

static bool has_share(int http, int grpc)
{
        struct http_share share = http_share_descriptors(50000, 1000, 200);
        return share.http == http && share.grpc == grpc;
}

static void connections_are_accepted_up_to_the_number_of_descriptors(void **state)
{
        struct rlimit before, after;
        assert_int_equal(getrlimit(RLIMIT_NOFILE, &before), 0);
        struct rlimit low = (struct rlimit){500, before.rlim_max};
        assert_int_equal(setrlimit(RLIMIT_NOFILE, &low), 0);
        assert_int_equal(http_share_descriptors(290, 10, 200).http, 290);
        assert_int_equal(getrlimit(RLIMIT_NOFILE, &after), 0);
        assert_int_equal(after.rlim_cur, 500); /* already sufficient */
        assert_int_equal(http_share_descriptors(390, 10, 200).grpc, 10);
        assert_int_equal(getrlimit(RLIMIT_NOFILE, &after), 0);
        assert_int_equal(after.rlim_cur, 600); /* raised */
        pid_t child = fork();
        if (child == 0) { /* the hard limit cannot be raised again */
                low = (struct rlimit){300, 450};
                bool right = setrlimit(RLIMIT_NOFILE, &low) == 0 && has_share(188, 62);
                low = (struct rlimit){100, 100};
                _exit(right && setrlimit(RLIMIT_NOFILE, &low) == 0 && has_share(38, 12) ? 0 : 1);
        }
        int status = 0;
        assert_int_equal(waitpid(child, &status, 0), child);
        assert_int_equal(status, 0);
        setrlimit(RLIMIT_NOFILE, &before);
}

static void a_client_that_half_closes_within_a_request_gets_an_error(void **state)
{
        static const char *const requests[] = {
            "GET /echo HTTP/1.1\r\nHost: h\r\n",
            "POST /echo HTTP/1.1\r\nHost: h\r\nContent-Length: 4\r\n\r\nabc",
            "POST /echo HTTP/1.1\r\nHost: h\r\nTransfer-Encoding: chunked\r\n\r\n3\r\nabc\r\n0\r\n",
            "G",
        };
        fixture_start_limits(&f, 10000, 600000);
        for (size_t i = 0; i < sizeof(requests) / sizeof(requests[0]); i++) {
                int fd = client_open(&f);
                client_send_text(fd, requests[i]);
                shutdown(fd, SHUT_WR);
                client_expect(fd, 400, "refused 400: The request ended before it was complete.");
                client_expect_end(fd);
                close(fd);
        }
        fixture_stop(&f);
}

static void a_request_that_runs_for_long_is_not_a_slow_client(void **state)
{
        fixture_start_limits(&f, 100, 200);
        int fd = client_open(&f);
        client_send_text(fd, "GET /block HTTP/1.1\r\nHost: h\r\n\r\n");
        fixture_wait_blocked(1);
        clock_sleep_ms(700);
        fixture_release();
        client_expect(fd, 200, NULL);
        close(fd);
        fixture_stop(&f);
}

static int count_threads(void)
{
        DIR *d = opendir("/proc/self/task");
        int n = 0;
        while (readdir(d) != NULL) {
                n++;
        }
        closedir(d);
        return n;
}

/* A request in two pieces, so that the connection had memory of all kinds. */
static void ask_once(int fd)
{
        client_send_text(fd, "POST /echo HTTP/1.1\r\nHost: h\r\nConte");
        client_wait_taken(fd);
        client_send_text(fd, "nt-Length: 3\r\n\r\nabcGET /echo HTTP/1.1\r\nHost: h\r\n\r\n");
        client_expect(fd, 200, NULL);
        client_expect(fd, 200, NULL);
}

static void thousands_of_idle_connections_use_no_thread_and_little_memory(void **state)
{
        enum { N = 4000 };
        static int fds[N];
        struct rlimit files;
        getrlimit(RLIMIT_NOFILE, &files);
        files.rlim_cur = files.rlim_max;
        setrlimit(RLIMIT_NOFILE, &files);
        if (files.rlim_cur < 2 * N + 100) {
                fail_msg("needs %d open files, and may have %ju: raise ulimit -Hn", 2 * N + 100,
                         (uintmax_t)files.rlim_cur);
        }
        fixture_start_limits(&f, 10000, 60000);
        fds[0] = client_open(&f);
        ask_once(fds[0]);
        int threads = count_threads();
        size_t bytes = mallinfo2().uordblks; /* 0 under AddressSanitizer */
        for (int i = 1; i < N; i++) {
                fds[i] = client_open(&f);
                ask_once(fds[i]);
        }
        WAIT_UNTIL(fixture_connections() == N);
        assert_int_equal(count_threads(), threads);
        assert_true(mallinfo2().uordblks <
                    bytes + (size_t)N * 512 + (1 << 20)); /* and what allocators and workers retain */
        for (int i = 0; i < N; i++) {
                close(fds[i]);
        }
        WAIT_UNTIL(fixture_connections() == 0);
        fixture_stop(&f);
}

static void clients_that_vanish_leave_nothing_behind(void **state)
{
        static const char *const requests[] = {
            "",
            "GET /ec",
            "GET /echo HTTP/1.1\r\nHost:",
            "GET /echo HTTP/1.1\r\nHost: h\r\n\r\n",
            "GET /big HTTP/1.1\r\nHost: h\r\n\r\n",
            "POST /echo HTTP/1.1\r\nHost: h\r\nContent-Length: 100\r\n\r\nabc",
            "POST /echo HTTP/1.1\r\nHost: h\r\nTransfer-Encoding: chunked\r\n\r\n5\r\nhe",
            "POST /limit HTTP/1.1\r\nHost: h\r\nContent-Length: 1000\r\n\r\nabc",
            "GET /echo HTTP/1.1\r\nHost: h\r\n\r\nGET /echo HTTP/1.1\r\nHost: h\r\n\r\nGET /echo",
            "nonsense\r\n\r\n",
        };
        fixture_start_limits(&f, 10000, 60000);
        for (int round = 0; round < 40; round++) {
                for (size_t i = 0; i < sizeof(requests) / sizeof(requests[0]); i++) {
                        int fd = client_open(&f);
                        client_send_text(fd, requests[i]);
                        if (round % 3 == 0) {
                                sched_yield();
                        }
                        if (round % 2 == 0) {
                                client_reset(fd);
                        } else {
                                close(fd);
                        }
                }
        }
        WAIT_UNTIL(fixture_connections() == 0);
        int fd = client_open(&f);
        client_send_text(fd, "GET /echo HTTP/1.1\r\nHost: h\r\n\r\n");
        client_expect(fd, 200, NULL);
        close(fd);
        fixture_stop(&f);
}

static void a_client_that_vanishes_while_its_request_runs_affects_no_other(void **state)
{
        fixture_start_limits(&f, 10000, 60000);
        for (int i = 0; i < 4; i++) {
                int fd = client_open(&f);
                client_send_text(fd, "GET /block HTTP/1.1\r\nHost: h\r\n\r\n");
                fixture_wait_blocked(i + 1);
                client_reset(fd);
        }
        fixture_release();
        WAIT_UNTIL(fixture_connections() == 0);
        fixture_stop(&f);
}

int main(void)
{
        const struct CMUnitTest tests[] = {
            cmocka_unit_test(a_client_that_sends_its_request_very_slowly_is_dropped),
            cmocka_unit_test(a_client_that_sends_its_second_request_very_slowly_is_dropped),
            cmocka_unit_test(a_client_that_stops_in_the_middle_is_dropped),
            cmocka_unit_test(an_idle_connection_outlives_the_limit_for_slow_ones_and_is_closed_silently),
            cmocka_unit_test(a_half_closed_connection_is_closed),
            cmocka_unit_test(a_client_that_half_closes_while_its_request_runs_gets_a_response),
            cmocka_unit_test(a_client_that_half_closes_within_a_request_gets_an_error),
            cmocka_unit_test(without_descriptors_clients_are_rejected_and_later_served),
            cmocka_unit_test(connections_are_accepted_up_to_the_number_of_descriptors),
            cmocka_unit_test(a_request_that_runs_for_long_is_not_a_slow_client),
            cmocka_unit_test(thousands_of_idle_connections_use_no_thread_and_little_memory),
            cmocka_unit_test(clients_that_vanish_leave_nothing_behind),
            cmocka_unit_test(a_client_that_vanishes_while_its_request_runs_affects_no_other),
        };
        return cmocka_run_group_tests_name("http lifetime", tests, NULL, NULL);
}
