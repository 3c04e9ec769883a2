/* Bodies that are received into memory of their sink. */
#include "http/test_support.h"

#include <stdatomic.h>
#include <stdio.h>
#include <string.h>
#include <sys/socket.h>
#include <unistd.h>

#include "base/clock.h"

enum { AREA_BYTES = 5000, AREAS = 12, BODY_BYTES = 300001 };

struct body {
        uint8_t areas[AREAS][AREA_BYTES];
        size_t received, copied; /* bytes, through areas and not */
        bool intact;             /* byte i of the body was i mod 251 */
};

static struct fixture f;
static atomic_int_least64_t received_bytes;
static atomic_int parts, released;

static uint8_t byte_at(size_t i)
{
        return (uint8_t)(i % 251);
}

static void check_bytes(struct body *body, const void *bytes, size_t len, size_t at)
{
        for (size_t i = 0; i < len; i++) {
                body->intact = body->intact && ((const uint8_t *)bytes)[i] == byte_at(at + i);
        }
}

static bool take(struct http_request *r, struct str piece, struct http_response *early)
{
        struct body *body = r->user;
        check_bytes(body, piece.ptr, piece.len, body->received + body->copied);
        body->copied += piece.len;
        return true;
}

static int areas(struct http_request *r, struct iovec *into, int n)
{
        struct body *body = r->user;
        int i = 0;
        for (; i < n && i < AREAS; i++) {
                into[i] = (struct iovec){body->areas[i], AREA_BYTES};
        }
        return i;
}

static bool received(struct http_request *r, size_t bytes, struct http_response *early)
{
        struct body *body = r->user;
        for (size_t i = 0, left = bytes; left > 0; i++) {
                size_t n = left < AREA_BYTES ? left : AREA_BYTES;
                check_bytes(body, body->areas[i], n, body->received + body->copied);
                body->received += n;
                left -= n;
        }
        atomic_fetch_add(&received_bytes, (int64_t)bytes);
        early->status = 507;
        return strcmp(r->path, "/full") != 0 || body->received < BODY_BYTES / 2;
}

static void release(struct http_request *r)
{
        atomic_fetch_add(&released, 1);
}

static bool on_headers(void *context, struct http_request *r, size_t *max_body, struct http_response *early)
{
        static const struct http_sink sink = {
            .take = take, .areas = areas, .received = received, .stall_ms = 10000, .keeps_part = true};
        struct body *body = ARENA_NEW(r->arena, struct body);
        body->intact = true;
        r->user = body;
        r->sink = &sink;
        r->release = release;
        *max_body = 1 << 20;
        return true;
}

static bool on_request(void *context, struct http_request *r, struct http_response *early)
{
        const struct body *body = r->user;
        early->status = 200;
        buf_printf(&early->body, "%zu %s %s", body->received + body->copied, body->intact ? "intact" : "damaged",
                   body->received > 0 ? "received" : "copied");
        atomic_fetch_add(&parts, r->is_part);
        return false;
}

static int setup(void **state)
{
        struct http_options options = fixture_options();
        struct http_handlers handlers = {.on_headers = on_headers, .on_request = on_request};
        received_bytes = 0;
        parts = released = 0;
        fixture_start_handlers(&f, &options, &handlers);
        return 0;
}

static int teardown(void **state)
{
        http_server_stop(f.server, 1000);
        return 0;
}

static void send_head(int fd, const char *path, size_t length)
{
        char head[300];
        (void)snprintf(head, sizeof(head), "PUT %s HTTP/1.1\r\nHost: h\r\nContent-Length: %zu\r\n\r\n", path, length);
        client_send_text(fd, head);
}

static void send_bytes(int fd, size_t from, size_t to)
{
        static char bytes[BODY_BYTES];
        for (size_t i = from; i < to; i++) {
                bytes[i] = (char)byte_at(i);
        }
        client_send(fd, bytes + from, to - from);
}

static void a_large_body_is_received_into_them_and_the_next_request_follows(void **state)
{
        int fd = client_open(&f);
        for (int i = 0; i < 2; i++) {
                send_head(fd, "/", BODY_BYTES);
                send_bytes(fd, 0, BODY_BYTES);
                send_head(fd, "/", 3); /* not part of it, though it is there */
                client_send(fd, "\x00\x01\x02", 3);
                client_expect(fd, 200, "300001 intact received");
                client_expect(fd, 200, "3 intact copied");
        }
        close(fd);
        WAIT_UNTIL(released == 4);
}

static void a_body_that_arrives_in_pieces_is_not_mixed_up(void **state)
{
        int fd = client_open(&f);
        send_head(fd, "/", BODY_BYTES);
        for (size_t at = 0, n = 1; at < BODY_BYTES; at += n, n = n * 7 % 40009) {
                send_bytes(fd, at, at + n < BODY_BYTES ? at + n : BODY_BYTES);
                client_wait_taken(fd);
        }
        client_expect(fd, 200, "300001 intact received");
        close(fd);
        WAIT_UNTIL(released == 1);
}

static void the_sink_may_reject_what_was_received(void **state)
{
        int fd = client_open(&f);
        send_head(fd, "/full", BODY_BYTES);
        send_bytes(fd, 0, BODY_BYTES);
        client_expect(fd, 507, NULL);
        close(fd);
        WAIT_UNTIL(released == 1);
}

static void the_part_of_an_interrupted_body_is_kept(void **state)
{
        int fd = client_open(&f);
        send_head(fd, "/", BODY_BYTES);
        send_bytes(fd, 0, 123456);
        WAIT_UNTIL(received_bytes > 0);
        (void)shutdown(fd, SHUT_WR);
        client_expect(fd, 200, "123456 intact received");
        close(fd);
        WAIT_UNTIL(parts == 1 && released == 1);
}

int main(void)
{
        const struct CMUnitTest tests[] = {
#define TEST(name) cmocka_unit_test_setup_teardown(name, setup, teardown)
            TEST(a_large_body_is_received_into_them_and_the_next_request_follows),
            TEST(a_body_that_arrives_in_pieces_is_not_mixed_up),
            TEST(the_sink_may_reject_what_was_received),
            TEST(the_part_of_an_interrupted_body_is_kept),
        };
        return cmocka_run_group_tests_name("areas", tests, NULL, NULL);
}
