/* Responses from regions of files, or from pipes. */
#include "http/test_http2_support.h"

#include <fcntl.h>
#include <poll.h>
#include <signal.h>
#include <sys/ioctl.h>
#include <stdatomic.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/socket.h>
#include <unistd.h>

#include "base/clock.h"

enum { FILE_BYTES = 8 << 20, PIPE_BYTES = 300000 };

static struct fixture f;
static int source;               /* the file; each response has its own descriptor */
static atomic_int pipe_end = -1; /* where the test writes the data of a response */
static atomic_int answer_fd;

static unsigned char byte_at(size_t i)
{
        return (unsigned char)(i * 2654435761u >> 13);
}

static bool on_headers(void *context, struct http_request *r, size_t *max_body, struct http_response *early)
{
        return true;
}

static struct http_file file_of(const struct http_request *r)
{
        int ends[2];
        if (strcmp(r->path, "/pipe") == 0) {
                assert_int_equal(pipe2(ends, O_CLOEXEC | O_NONBLOCK), 0);
                (void)fcntl(ends[1], F_SETFL, 0);
                atomic_store(&pipe_end, ends[1]);
                return (struct http_file){.fd = ends[0], .is_pipe = true, .length = PIPE_BYTES};
        }
        char path[40];
        (void)snprintf(path, sizeof(path), "/proc/self/fd/%d", source);
        return (struct http_file){.fd = strcmp(r->path, "/length") == 0 ? -1 : open(path, O_RDONLY | O_CLOEXEC),
                                  .offset = 1000,
                                  .length = strcmp(r->path, "/beyond") == 0 ? FILE_BYTES : FILE_BYTES - 1000};
}

static bool on_request(void *context, struct http_request *r, struct http_response *early)
{
        early->status = strcmp(r->path, "/unchanged") == 0 ? 304 : 206;
        early->file = ARENA_NEW(r->arena, struct http_file);
        *early->file = file_of(r);
        answer_fd = early->file->fd;
        return false;
}

static int start(int slow_client_ms)
{
        struct http_options options = fixture_options();
        struct http_handlers handlers = {.on_headers = on_headers, .on_request = on_request};
        options.slow_client_ms = slow_client_ms;
        options.io_threads = 1;
        fixture_start_handlers(&f, &options, &handlers);
        return 0;
}

static int setup(void **state)
{
        return start(200);
}

static int setup_patient(void **state)
{
        return start(60000);
}

static int teardown(void **state)
{
        http_server_stop(f.server, 1000);
        return 0;
}

static bool is_closed(int fd)
{
        return fcntl(fd, F_GETFD) < 0;
}

static void get(int fd, const char *path)
{
        char head[200];
        (void)snprintf(head, sizeof(head), "GET %s HTTP/1.1\r\nHost: h\r\n\r\n", path);
        client_send_text(fd, head);
}

static void expect_bytes(const char *bytes, size_t len, size_t from)
{
        for (size_t i = 0; i < len; i++) {
                if ((unsigned char)bytes[i] != byte_at(from + i)) {
                        fail_msg("byte %zu is wrong", i);
                }
        }
}

static void the_region_is_sent_completely_and_the_connection_stays_open(void **state)
{
        int fd = client_open(&f);
        for (int i = 0; i < 2; i++) {
                struct reply r;
                get(fd, "/file");
                client_read(fd, &r, false);
                assert_int_equal(r.status, 206);
                assert_int_equal(r.body_len, FILE_BYTES - 1000);
                expect_bytes(r.body, r.body_len, 1000);
                reply_free(&r);
                WAIT_UNTIL(is_closed(answer_fd));
        }
        close(fd);
}

static void head_and_bodyless_responses_have_the_length_or_none(void **state)
{
        struct reply r;
        int fd = client_open(&f);
        client_send_text(fd, "HEAD /length HTTP/1.1\r\nHost: h\r\n\r\n");
        client_read(fd, &r, true);
        assert_true(reply_has(&r, "Content-Length: 8387608"));
        reply_free(&r);
        client_send_text(fd, "HEAD /file HTTP/1.1\r\nHost: h\r\n\r\n");
        client_read(fd, &r, true);
        assert_true(reply_has(&r, "Content-Length: 8387608"));
        reply_free(&r);
        get(fd, "/unchanged");
        client_expect(fd, 304, "");
        close(fd);
}

/* The bytes of head and body received before the connection closes. */
static size_t read_to_the_end(int fd)
{
        static char bytes[1 << 16];
        size_t got = 0;
        for (ssize_t n; (n = recv(fd, bytes, sizeof(bytes), 0)) > 0;) {
                got += (size_t)n;
        }
        return got;
}

static void a_file_shorter_than_announced_closes_the_connection(void **state)
{
        int fd = client_open(&f);
        get(fd, "/beyond");
        assert_in_range(read_to_the_end(fd), FILE_BYTES - 1000, FILE_BYTES - 1);
        close(fd);
        WAIT_UNTIL(is_closed(answer_fd));
}

static void a_client_that_reads_nothing_is_dropped_and_the_file_closed(void **state)
{
        int64_t before = fixture_slow_clients();
        int fd = client_open(&f);
        get(fd, "/file");
        WAIT_UNTIL(fixture_slow_clients() == before + 1);
        WAIT_UNTIL(is_closed(answer_fd));
        close(fd);
}

static int wait_for_pipe(void)
{
        WAIT_UNTIL(atomic_load(&pipe_end) >= 0);
        return atomic_exchange(&pipe_end, -1);
}

static void write_pipe(int fd, size_t from, size_t len)
{
        char *bytes = malloc(len);
        for (size_t i = 0; i < len; i++) {
                bytes[i] = (char)byte_at(from + i);
        }
        assert_int_equal(write(fd, bytes, len), len);
        free(bytes);
}

static int bytes_in_pipe(int end)
{
        int n = 0;
        assert_int_equal(ioctl(end, FIONREAD, &n), 0);
        return n;
}

/* In pieces, between which the response waits for the pipe. */
static void data_from_a_pipe_is_sent_when_it_arrives(void **state)
{
        struct reply r;
        int fd = client_open(&f);
        get(fd, "/pipe");
        int end = wait_for_pipe();
        for (size_t i = 0; i < PIPE_BYTES; i += PIPE_BYTES / 3) {
                WAIT_UNTIL(bytes_in_pipe(end) == 0);
                write_pipe(end, i, PIPE_BYTES / 3);
        }
        client_read(fd, &r, false);
        assert_int_equal(r.body_len, PIPE_BYTES);
        expect_bytes(r.body, r.body_len, 0);
        reply_free(&r);
        close(end);
        get(fd, "/file");
        client_expect(fd, 206, NULL);
        close(fd);
}

static void a_pipe_that_ends_too_early_disconnects_the_client(void **state)
{
        int fd = client_open(&f);
        get(fd, "/pipe");
        int end = wait_for_pipe();
        write_pipe(end, 0, 1000);
        close(end);
        assert_in_range(read_to_the_end(fd), 1000, 1500);
        close(fd);
}

/* The reader of a pipe is gone: the writer is notified. */
static void a_client_that_disconnects_closes_the_pipe(void **state)
{
        int fd = client_open(&f);
        get(fd, "/pipe");
        int end = wait_for_pipe();
        client_reset(fd);
        WAIT_UNTIL(write(end, "x", 1) < 0);
        close(end);
}

/* --- HTTP/2 --- */

static size_t read_stream(int fd, uint32_t stream, size_t from, size_t most)
{
        struct h2_frame frame;
        size_t got = 0;
        do {
                if (!h2_read(fd, &frame) || (frame.type == NGHTTP2_RST_STREAM && frame.stream == stream)) {
                        return got;
                }
                if (frame.type == NGHTTP2_DATA && frame.stream == stream) {
                        expect_bytes((const char *)frame.payload, frame.len, from + got);
                        got += frame.len;
                }
        } while (got < most && (frame.stream != stream || (frame.flags & NGHTTP2_FLAG_END_STREAM) == 0));
        return got;
}

static void open_windows(struct buf *b, uint32_t stream)
{
        h2_frame(b, NGHTTP2_WINDOW_UPDATE, 0, 0, "\x0\xff\xff\xff", 4);
        h2_frame(b, NGHTTP2_WINDOW_UPDATE, 0, stream, "\x0\xff\xff\xff", 4);
}

static void over_http2_files_and_pipes_are_sent_as_the_client_reads_them(void **state)
{
        struct buf b;
        int fd = h2_open(&f);
        h2_begin(&b);
        h2_request(&b, 1, "/file");
        h2_send(fd, &b);
        assert_int_equal(read_stream(fd, 1, 1000, 65535), 65535);
        buf_init(&b, 1000);
        open_windows(&b, 1);
        h2_request(&b, 3, "/pipe");
        h2_send(fd, &b);
        assert_int_equal(read_stream(fd, 1, 1000 + 65535, FILE_BYTES), FILE_BYTES - 1000 - 65535);
        int end = wait_for_pipe();
        write_pipe(end, 0, 1000);
        assert_int_equal(read_stream(fd, 3, 0, 1000), 1000);
        write_pipe(end, 1000, 1000);
        assert_int_equal(read_stream(fd, 3, 1000, 1000), 1000);
        close(end); /* too early */
        assert_int_equal(read_stream(fd, 3, 0, 1), 0);
        close(fd);
}

/* Until the server has filled all buffers. */
static void wait_until_full(int fd)
{
        int before = -1, waiting = 0;
        while (waiting == 0 || waiting != before) {
                before = waiting;
                clock_sleep_ms(100);
                assert_int_equal(ioctl(fd, FIONREAD, &waiting), 0);
        }
}

static void over_http2_a_client_that_does_not_read_a_file_is_still_read(void **state)
{
        struct buf b;
        int fd = h2_open(&f);
        pipe_end = -1;
        h2_begin(&b);
        h2_frame(&b, NGHTTP2_SETTINGS, 0, 0, "\x0\x4\x0\xff\xff\xff", 6); /* SETTINGS_INITIAL_WINDOW_SIZE */
        h2_frame(&b, NGHTTP2_WINDOW_UPDATE, 0, 0, "\x0\xff\xff\xff", 4);
        h2_request(&b, 1, "/file");
        h2_send(fd, &b);
        wait_until_full(fd);
        int first = answer_fd;
        buf_init(&b, 1000);
        h2_request(&b, 3, "/pipe");
        h2_send(fd, &b);
        int end = wait_for_pipe();
        buf_init(&b, 1000);
        h2_frame(&b, NGHTTP2_RST_STREAM, 0, 1, "\x0\x0\x0\x8", 4);
        h2_send(fd, &b);
        WAIT_UNTIL(is_closed(first));
        close(end);
        close(fd);
}

/* How much of a flood the server reads, until it reads nothing for a second, or has read the maximum. */
static size_t flood(int fd, uint32_t stream, size_t most)
{
        size_t total = 0;
        while (total < most) {
                struct pollfd one = {.fd = fd, .events = POLLOUT};
                struct buf b;
                buf_init(&b, 1 << 20);
                for (; b.len < 100000; stream += 2) {
                        h2_request(&b, stream, "/");
                }
                for (size_t at = 0; at < b.len;) {
                        ssize_t n = poll(&one, 1, 1000) == 1 ? send(fd, b.data + at, b.len - at, MSG_NOSIGNAL) : -1;
                        if (n <= 0) {
                                buf_free(&b);
                                return total;
                        }
                        at += (size_t)n;
                        total += (size_t)n;
                }
                buf_free(&b);
        }
        return total;
}

/* It never acknowledges our settings, so that each request beyond 100 is rejected: the responses are limited. */
static void over_http2_a_client_that_reads_nothing_is_not_read_forever(void **state)
{
        enum { MOST = 64 << 20 };
        struct buf b;
        int fd = h2_open(&f);
        h2_begin(&b);
        h2_frame(&b, NGHTTP2_SETTINGS, 0, 0, "\x0\x4\x0\xff\xff\xff", 6);
        h2_frame(&b, NGHTTP2_WINDOW_UPDATE, 0, 0, "\x0\xff\xff\xff", 4);
        h2_request(&b, 1, "/file");
        h2_send(fd, &b);
        wait_until_full(fd);
        assert_int_equal(fcntl(fd, F_SETFL, O_NONBLOCK), 0);
        assert_true(flood(fd, 3, MOST) < MOST);
        close(fd);
}

int main(void)
{
        const struct CMUnitTest tests[] = {
#define TEST(name) cmocka_unit_test_setup_teardown(name, setup, teardown)
            TEST(the_region_is_sent_completely_and_the_connection_stays_open),
            TEST(head_and_bodyless_responses_have_the_length_or_none),
            TEST(a_file_shorter_than_announced_closes_the_connection),
            TEST(a_client_that_reads_nothing_is_dropped_and_the_file_closed),
            TEST(data_from_a_pipe_is_sent_when_it_arrives),
            TEST(a_pipe_that_ends_too_early_disconnects_the_client),
            TEST(a_client_that_disconnects_closes_the_pipe),
            TEST(over_http2_files_and_pipes_are_sent_as_the_client_reads_them),
            cmocka_unit_test_setup_teardown(over_http2_a_client_that_does_not_read_a_file_is_still_read, setup_patient,
                                            teardown),
            cmocka_unit_test_setup_teardown(over_http2_a_client_that_reads_nothing_is_not_read_forever, setup_patient,
                                            teardown),
        };
        (void)signal(SIGPIPE, SIG_IGN);
        source = memfd_create("file", MFD_CLOEXEC);
        char *bytes = malloc(FILE_BYTES);
        for (size_t i = 0; i < FILE_BYTES; i++) {
                bytes[i] = (char)byte_at(i);
        }
        if (write(source, bytes, FILE_BYTES) != FILE_BYTES) {
                return 1;
        }
        free(bytes);
        return cmocka_run_group_tests_name("files", tests, NULL, NULL);
}
