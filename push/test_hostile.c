/* Push services that abuse whoever sends to them: responses without end, responses that are none, and responses that
 * trickle. Each request ends soon, after a bounded number of bytes, and is retried unless it was accepted. */
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <setjmp.h>
#include <cmocka.h>
#include <pthread.h>
#include <signal.h>
#include <stdatomic.h>
#include <stdio.h>
#include <string.h>
#include <sys/socket.h>
#include <unistd.h>
#include <curl/curl.h>
#include "auth/base64url.h"
#include "auth/keys.h"
#include "base/clock.h"
#include "base/test_loopback.h"
#include "push/parts.h"

#define POINT  "BCVxsr7N_eNgVRqvHtD0zTZsEc6-VV-JvLexhqUzORcxaOzi6-AYWXvTBHm4bjyPjs7Vd8pZGH6SRpkNtoIAiw4"
#define SECRET "BTBZMqHH6r4Tts7J_aSIgg"

enum { TIMEOUT_MS = 2000, MANY_BYTES = 8 << 20 /* with the buffers of both sockets */ };

/* What is sent once, and then again and again; trickles: one byte every 200 ms. */
static const struct abuse {
        const char *path, *first, *again;
        bool trickles;
        enum push_outcome outcome;
        int status;
} abuses[] = {
    {"headers", "HTTP/1.1 201 Created\r\n", "x-padding: aaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaa\r\n", false,
     PUSH_SENT, 201},
    {"line", "HTTP/1.1 201 Created\r\nx: ", "aaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaa", false, PUSH_SENT,
     201},
    {"body", "HTTP/1.1 201 Created\r\n\r\n", "aaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaa", false,
     PUSH_SENT, 201},
    {"chunks", "HTTP/1.1 201 Created\r\nTransfer-Encoding: chunked\r\n\r\n7FFFFFFFFFFFFFFF\r\n",
     "aaaaaaaaaaaaaaaaaaaaa", false, PUSH_SENT, 201},
    {"continue", "", "HTTP/1.1 100 Continue\r\n\r\n", false, PUSH_LATER, 0},
    {"hints", "", "HTTP/1.1 103 Early Hints\r\nlink: </x>; rel=preload\r\n\r\n", false, PUSH_LATER, 0},
    {"processing", "HTTP/1.1 102 Processing\r\n\r\n", NULL, false, PUSH_LATER, 0},
    {"trickle", "", "HTTP/1.1 201 Created\r\nx-slow: aaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaa", true,
     PUSH_LATER, 0},
    {"nothing", "", NULL, false, PUSH_LATER, 0},
    {"garbage", "\xff\xfe\x01\x80 garbage \xc3\x28\r\n\r\n", NULL, false, PUSH_LATER, 0},
    {"number", "HTTP/1.1 99999999999 \xff\r\n\r\n", NULL, false, PUSH_LATER, 0},
    {"again", "HTTP/1.1 429 x\r\nRetry-After: 99999999999999999999\r\nContent-Length: 0\r\n\r\n", NULL, false,
     PUSH_LATER, 429},
    {"before", "HTTP/1.1 503 x\r\nRetry-After: -5\r\nContent-Length: 0\r\n\r\n", NULL, false, PUSH_LATER, 503},
    {"moved", "HTTP/1.1 308 x\r\nLocation: http://169.254.169.254/latest/\r\nContent-Length: 0\r\n\r\n", NULL, false,
     PUSH_REFUSED, 308},
};

static int listener, port;
static struct push_sender *sender;
static atomic_size_t written; /* in the current response */

static bool write_all(int socket, const char *text, size_t len)
{
        atomic_fetch_add(&written, len);
        return test_write_all(socket, text, len);
}

static void abuse(int socket, const struct abuse *a)
{
        char many[65536];
        size_t len = 0, again = a->again != NULL ? strlen(a->again) : 0;

        if (!write_all(socket, a->first, strlen(a->first)) || again == 0) {
                return;
        }
        for (size_t i = 0; a->trickles && write_all(socket, a->again + i % again, 1); i++) {
                clock_sleep_ms(200);
        }
        for (; len + again <= sizeof(many); len += again) {
                memcpy(many + len, a->again, again);
        }
        while (write_all(socket, many, len)) {
        }
}

static void *serve_requests(void *unused)
{
        for (;;) {
                int socket = accept(listener, NULL, NULL);
                char request[8192];
                ssize_t n = read(socket, request, sizeof(request) - 1);

                request[n > 0 ? n : 0] = '\0';
                for (size_t i = 0; i < sizeof(abuses) / sizeof(abuses[0]); i++) {
                        if (strncmp(request + strlen("POST /"), abuses[i].path, strlen(abuses[i].path)) == 0) {
                                abuse(socket, &abuses[i]);
                        }
                }
                (void)shutdown(socket, SHUT_WR);
                while (read(socket, request, sizeof(request)) > 0) {
                }
                close(socket);
        }
        return NULL;
}

static int start_server(void **state)
{
        static const uint8_t master[32] = {1};
        struct push_options options = {.contact = "mailto:ada@example.org", .at_once = 8, .timeout_ms = TIMEOUT_MS};
        struct str bad;
        pthread_t thread;

        (void)signal(SIGPIPE, SIG_IGN);
        keys_set_master(master);
        (void)curl_global_init(CURL_GLOBAL_DEFAULT);
        listener = test_listen(&port);
        assert_int_equal(pthread_create(&thread, NULL, serve_requests, NULL), 0);
        assert_true(networks_parse("127.0.0.0/8", &options.also, &bad));
        sender = push_sender_new(&options);
        return 0;
}

static struct push_result result_of(const char *path)
{
        char url[128];
        struct push_subscription to = {.endpoint = url};
        struct push_message message = {.to = &to, .text = "hello", .len = 5, .ttl_s = 60, .tag = url};
        struct push_result result;
        size_t len;

        (void)snprintf(url, sizeof(url), "http://127.0.0.1:%d/%s", port, path);
        assert_true(base64url_decode(str_of(POINT), to.point, sizeof(to.point), &len));
        assert_true(base64url_decode(str_of(SECRET), to.secret, sizeof(to.secret), &len));
        atomic_store(&written, 0);
        assert_true(push_start(sender, &message));
        assert_int_equal(push_wait(sender, 30000, &result, 1), 1);
        assert_ptr_equal(result.tag, url);
        return result;
}

static void each_abuse_ends_by_itself_after_few_bytes(void **state)
{
        for (size_t i = 0; i < sizeof(abuses) / sizeof(abuses[0]); i++) {
                const struct abuse *a = &abuses[i];
                struct push_result result = result_of(a->path);

                if (result.outcome != a->outcome || result.status != a->status) {
                        fail_msg("%s: outcome %d, status %d (%s)", a->path, (int)result.outcome, result.status,
                                 result.reason);
                }
                if (atomic_load(&written) > MANY_BYTES) {
                        fail_msg("%s: %zu bytes were taken", a->path, atomic_load(&written));
                }
                assert_true(result.retry_after_s >= 0 && result.retry_after_s <= 86400);
        }
}

int main(void)
{
        const struct CMUnitTest tests[] = {cmocka_unit_test(each_abuse_ends_by_itself_after_few_bytes)};

        return cmocka_run_group_tests(tests, start_server, NULL);
}
