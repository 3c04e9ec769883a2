/* Clients that do not read their responses. */
#include "http/test_support.h"

#include <netinet/in.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <unistd.h>

#include "base/clock.h"

#define GET(path) "GET " path " HTTP/1.1\r\nHost: h\r\n\r\n"

static struct fixture f;

static void start(int slow_client_ms, int64_t unread_bytes)
{
        struct http_options o = fixture_options();
        o.slow_client_ms = slow_client_ms;
        o.unread_bytes = unread_bytes;
        fixture_start(&f, &o);
}

static void a_client_that_does_not_read_its_response_is_dropped(void **state)
{
        int64_t before = fixture_slow_clients();
        start(200, 1 << 30);
        int fd = client_open(&f);
        client_send_text(fd, "GET /big HTTP/1.1\r\nHost: h\r\n\r\n");
        WAIT_UNTIL(fixture_slow_clients() == before + 1);
        WAIT_UNTIL(fixture_connections() == 0);
        close(fd);
        fixture_stop(&f);
}

static void a_client_that_reads_slowly_but_steadily_is_served(void **state)
{
        start(200, 1 << 30);
        char sink[200000];
        size_t got = 0;
        int fd = client_open(&f);
        client_send_text(fd, "GET /big HTTP/1.1\r\nHost: h\r\nConnection: close\r\n\r\n");
        for (ssize_t n = 1; n > 0; got += (size_t)n) {
                n = recv(fd, sink, sizeof(sink), 0);
                assert_true(n >= 0);
                clock_sleep_ms(10); /* over a second in total: longer than the 600 ms that a client may stop reading */
        }
        assert_true(got > 20 << 20);
        close(fd);
        fixture_stop(&f);
}

/* The worker does not wait: it leaves the rest of the response to the I/O thread. */
static void clients_that_do_not_read_their_responses_block_no_worker(void **state)
{
        enum { N = 20 }; /* the fixture has four workers */
        int fds[N], fd;
        start(10000, 1 << 30);
        for (int i = 0; i < N; i++) {
                fds[i] = client_open(&f);
                client_send_text(fds[i], "GET /big HTTP/1.1\r\nHost: h\r\n\r\nGET /echo HTTP/1.1\r\nHost: h\r\n\r\n");
        }
        fd = client_open(&f);
        client_send_text(fd, "GET /echo HTTP/1.1\r\nHost: h\r\n\r\n");
        client_expect(fd, 200, NULL);
        close(fd);
        for (int i = 0; i < N; i++) {
                struct reply r;
                client_read(fds[i], &r, false);
                assert_int_equal(r.body_len, 20 << 20);
                reply_free(&r);
                client_expect(fds[i], 200, "GET /echo? [127.0.0.1] note= 0:");
                if (i % 2 == 0) {
                        client_reset(fds[i]);
                } else {
                        close(fds[i]);
                }
        }
        WAIT_UNTIL(fixture_connections() == 0);
        fixture_stop(&f);
}

/* Unacknowledged bytes in the kernel sent from the server's port, for one response or all. */
struct kept {
        long most, sum;
        int n;
};

static struct kept kept_by_kernel(void)
{
        struct kept kept = {0};
        char line[512];
        FILE *tcp = fopen("/proc/net/tcp", "r");
        assert_non_null(tcp);
        while (fgets(line, sizeof(line), tcp) != NULL) {
                char port[5] = "", unread[9] = "";
                int found = sscanf(
                    line, " %*[0-9]: %*[0-9A-F]:%4[0-9A-F] %*[0-9A-F]:%*[0-9A-F] %*[0-9A-F] %8[0-9A-F]:", port, unread);
                long bytes = strtol(unread, NULL, 16);

                if (found == 2 && strtol(port, NULL, 16) == f.port && bytes > 0) {
                        kept.most = bytes > kept.most ? bytes : kept.most;
                        kept.sum += bytes;
                        kept.n++;
                }
        }
        fclose(tcp);
        return kept;
}

/* With a small window, so that unread data stays on the server's side. */
static int open_small(void)
{
        int bytes = 4096, fd = client_open(&f);
        setsockopt(fd, SOL_SOCKET, SO_RCVBUF, &bytes, sizeof(bytes));
        return fd;
}

static void ask_many_times(int fd, const char *request, int times)
{
        struct buf all;
        buf_init(&all, 1 << 20);
        for (int i = 0; i < times; i++) {
                buf_append_c(&all, request);
        }
        assert_true(send(fd, all.data, all.len, MSG_DONTWAIT | MSG_NOSIGNAL) > 0); /* as many as are accepted */
        buf_free(&all);
}

static void ask_on_a_new_connection(void)
{
        int fd = client_open(&f);
        client_send_text(fd, GET("/echo"));
        client_expect(fd, 200, NULL);
        close(fd);
}

static bool stands_still(void)
{
        struct kept before = kept_by_kernel();
        for (int i = 0; i < 20; i++) {
                ask_on_a_new_connection();
        }
        return before.sum == kept_by_kernel().sum;
}

static void unread_pipelined_responses_use_little_memory(void **state)
{
        enum { N = 200 };
        int fds[N];
        start(10000, 1 << 30);
        for (int i = 0; i < N; i++) {
                fds[i] = open_small();
                ask_many_times(fds[i], GET("/page"), 300);
        }
        WAIT_UNTIL(kept_by_kernel().n == N && stands_still());
        assert_true(kept_by_kernel().most < 256 << 10); /* of the requested 30 MB */
        for (int i = 0; i < N; i++) {
                close(fds[i]);
        }
        fixture_stop(&f);
}

static void unread_small_responses_use_little_memory(void **state)
{
        start(10000, 1 << 30);
        int fd = open_small();
        ask_many_times(fd, GET("/echo"), 20000);
        WAIT_UNTIL(kept_by_kernel().n == 1 && stands_still());
        assert_true(kept_by_kernel().most < 256 << 10);
        close(fd);
        fixture_stop(&f);
}

static void a_client_that_reads_nothing_is_dropped_after_its_response_is_in_the_kernel(void **state)
{
        start(200, 1 << 30);
        int fd = open_small();
        client_send_text(fd, GET("/page"));
        WAIT_UNTIL(kept_by_kernel().n == 1);
        WAIT_UNTIL(fixture_connections() == 0); /* idle ones may stay for a minute */
        WAIT_UNTIL(kept_by_kernel().n == 0);
        close(fd);
        fixture_stop(&f);
}

static void beyond_the_total_limit_connections_with_the_most_unread_data_are_dropped(void **state)
{
        enum { N = 60, BOUND = 1 << 20 };
        int64_t before = fixture_slow_clients();
        int fds[N], modest;
        start(10000, BOUND);
        modest = client_open(&f);
        client_send_text(modest, GET("/echo"));
        for (int i = 0; i < N; i++) {
                fds[i] = open_small();
                ask_many_times(fds[i], GET("/page"), 3);
        }
        WAIT_UNTIL(fixture_slow_clients() > before && kept_by_kernel().sum <= BOUND + BOUND / 4 && stands_still());
        client_expect(modest, 200, NULL);
        client_send_text(modest, GET("/page")); /* it is still served */
        client_expect(modest, 200, NULL);
        close(modest);
        for (int i = 0; i < N; i++) {
                close(fds[i]);
        }
        WAIT_UNTIL(fixture_connections() == 0);
        fixture_stop(&f);
}

/* A limit on sent data instead of unread data would drop them. */
static void clients_that_read_are_never_dropped_for_the_limit(void **state)
{
        int64_t before = fixture_slow_clients();
        start(10000, 1 << 20);
        int fd = client_open(&f);
        for (int i = 0; i < 100; i++) {
                struct reply r;
                client_send_text(fd, GET("/page"));
                client_read(fd, &r, false);
                assert_int_equal(r.body_len, FIXTURE_PAGE_BYTES);
                reply_free(&r);
        }
        assert_int_equal(fixture_slow_clients(), before);
        close(fd);
        fixture_stop(&f);
}

int main(void)
{
        const struct CMUnitTest tests[] = {
            cmocka_unit_test(a_client_that_does_not_read_its_response_is_dropped),
            cmocka_unit_test(a_client_that_reads_slowly_but_steadily_is_served),
            cmocka_unit_test(clients_that_do_not_read_their_responses_block_no_worker),
            cmocka_unit_test(unread_pipelined_responses_use_little_memory),
            cmocka_unit_test(unread_small_responses_use_little_memory),
            cmocka_unit_test(a_client_that_reads_nothing_is_dropped_after_its_response_is_in_the_kernel),
            cmocka_unit_test(beyond_the_total_limit_connections_with_the_most_unread_data_are_dropped),
            cmocka_unit_test(clients_that_read_are_never_dropped_for_the_limit),
        };
        return cmocka_run_group_tests_name("http unread", tests, NULL, NULL);
}
