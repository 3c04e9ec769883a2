/* File responses that are not in the page cache: they wait for the disk, and other requests on their I/O thread do not.
 */
#include <fcntl.h>
#include <stdatomic.h>
#include <stdio.h>
#include <string.h>
#include <sys/mman.h>
#include <unistd.h>

#include "base/clock.h"
#include "base/testdata/disk_gate.h"
#include "http/test_http2_support.h"

enum { FILE_BYTES = 3 << 20, SLOW_MS = 200 };

static struct fixture f;
static int source;
static atomic_int answer_fd;

static bool on_headers(void *context, struct http_request *r, size_t *max_body, struct http_response *early)
{
        return true;
}

/* /file, and a response from memory. */
static bool on_request(void *context, struct http_request *r, struct http_response *early)
{
        early->status = 200;
        if (strcmp(r->path, "/file") == 0) {
                early->file = ARENA_NEW(r->arena, struct http_file);
                *early->file = (struct http_file){.fd = dup(source), .length = FILE_BYTES};
                answer_fd = early->file->fd;
        }
        return false;
}

static int setup(void **state)
{
        struct http_options options = fixture_options();
        struct http_handlers handlers = {.on_headers = on_headers, .on_request = on_request};
        options.slow_client_ms = SLOW_MS;
        options.io_threads = 1;
        fixture_start_handlers(&f, &options, &handlers);
        disk_gate_close();
        return 0;
}

static int teardown(void **state)
{
        disk_gate_open();
        http_server_stop(f.server, 1000);
        return 0;
}

static void get(int fd, const char *path)
{
        char head[100];
        (void)snprintf(head, sizeof(head), "GET %s HTTP/1.1\r\nHost: h\r\n\r\n", path);
        client_send_text(fd, head);
}

static void expect_file(int fd)
{
        struct reply r;
        client_read(fd, &r, false);
        assert_int_equal(r.status, 200);
        assert_int_equal(r.body_len, FILE_BYTES);
        for (size_t i = 0; i < FILE_BYTES; i++) {
                assert_int_equal((unsigned char)r.body[i], (unsigned char)(i >> 12));
        }
        reply_free(&r);
}

static void others_are_answered_while_a_file_waits_for_the_disk(void **state)
{
        int fd = client_open(&f), other = client_open(&f);
        get(fd, "/file");
        disk_gate_await();
        for (int i = 0; i < 10; i++) {
                get(other, "/");
                client_expect(other, 200, "");
        }
        disk_gate_open();
        expect_file(fd);
        get(fd, "/");
        client_expect(fd, 200, "");
        close(fd);
        close(other);
}

static void over_http2_the_same_connection_continues(void **state)
{
        struct buf b;
        int fd = h2_open(&f);
        h2_begin(&b);
        h2_frame(&b, NGHTTP2_SETTINGS, 0, 0, "\0\4\x7f\xff\xff\xff", 6); /* the window of a stream, */
        h2_frame(&b, NGHTTP2_WINDOW_UPDATE, 0, 0, "\x7f\0\0\0", 4);      /* and of the connection */
        h2_request(&b, 1, "/file");
        h2_send(fd, &b);
        disk_gate_await();
        for (uint32_t id = 3; id < 20; id += 2) {
                buf_init(&b, 1000);
                h2_request(&b, id, "/");
                h2_send(fd, &b);
                assert_int_equal(h2_read_status(fd, id), 200);
        }
        disk_gate_open();
        size_t got = 0;
        while (got < FILE_BYTES) {
                struct h2_frame frame;
                h2_read_until(fd, NGHTTP2_DATA, &frame);
                for (size_t i = 0; i < frame.len; i++, got++) {
                        assert_int_equal(frame.payload[i], (unsigned char)(got >> 12));
                }
        }
        close(fd);
}

static void a_client_waiting_for_the_disk_is_not_slow(void **state)
{
        int fd = client_open(&f);
        int64_t slow = fixture_slow_clients();
        get(fd, "/file");
        disk_gate_await();
        clock_sleep_ms(SLOW_MS * 5); /* without waiting for the disk it would be slow after three times that */
        disk_gate_open();
        expect_file(fd);
        assert_int_equal(fixture_slow_clients(), slow);
        close(fd);
}

static void a_client_that_disconnects_meanwhile_leaves_nothing_behind(void **state)
{
        int fd = client_open(&f);
        get(fd, "/file");
        disk_gate_await();
        client_reset(fd);
        disk_gate_open();
        WAIT_UNTIL(fixture_connections() == 0);
        assert_true(fcntl(answer_fd, F_GETFD) < 0);
}

static int make_source(void **state)
{
        static char bytes[FILE_BYTES];
        source = memfd_create("source", MFD_CLOEXEC);
        for (size_t i = 0; i < FILE_BYTES; i++) {
                bytes[i] = (char)(i >> 12);
        }
        return write(source, bytes, FILE_BYTES) == FILE_BYTES ? 0 : -1;
}

#define TEST(fn) cmocka_unit_test_setup_teardown(fn, setup, teardown)

int main(void)
{
        const struct CMUnitTest tests[] = {
            TEST(others_are_answered_while_a_file_waits_for_the_disk),
            TEST(over_http2_the_same_connection_continues),
            TEST(a_client_waiting_for_the_disk_is_not_slow),
            TEST(a_client_that_disconnects_meanwhile_leaves_nothing_behind),
        };
        return cmocka_run_group_tests(tests, make_source, NULL);
}
