/* The meaning of each response of a push service, with a test server that responds as the path requests. */
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <setjmp.h>
#include <cmocka.h>
#include <pthread.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>
#include <curl/curl.h>
#include "auth/base64url.h"
#include "auth/keys.h"
#include "base/test_loopback.h"
#include "push/parts.h"

#define POINT  "BCVxsr7N_eNgVRqvHtD0zTZsEc6-VV-JvLexhqUzORcxaOzi6-AYWXvTBHm4bjyPjs7Vd8pZGH6SRpkNtoIAiw4"
#define SECRET "BTBZMqHH6r4Tts7J_aSIgg"

static int listener, port;
static char last_request[8192]; /* the latest one; read after its response */
static struct push_sender *sender;

/* One request of a connection: "/STATUS[/RETRY]"; "/hang" gets no response. */
static void answer_request(int socket)
{
        char answer[256], *request = last_request;
        size_t len = 0;
        long status, retry = 0;
        char *slash;
        ssize_t n;

        memset(request, 0, sizeof(last_request));
        while (len < sizeof(last_request) - 1 &&
               (n = read(socket, request + len, sizeof(last_request) - 1 - len)) > 0) {
                const char *end = memmem(request, len += (size_t)n, "\r\n\r\n", 4);

                if (end != NULL &&
                    (size_t)(end + 4 - request) + 359 <= len) { /* 256 bytes of text and the encryption overhead */
                        break;
                }
        }
        status = strtol(request + strlen("POST /"), &slash, 10);
        if (status == 0) {
                pause();
        }
        if (*slash == '/') {
                retry = strtol(slash + 1, NULL, 10);
        }
        (void)snprintf(
            answer, sizeof(answer),
            "HTTP/1.1 %ld x\r\nRetry-After: %ld\r\nLocation: http://127.0.0.1:%d/201\r\nContent-Length: 0\r\n"
            "Connection: close\r\n\r\n",
            status, retry, port);
        (void)!write(socket, answer, strlen(answer));
}

static void *serve_requests(void *unused)
{
        for (;;) {
                int socket = accept(listener, NULL, NULL);

                answer_request(socket);
                close(socket);
        }
        return NULL;
}

static int start_server(void **state)
{
        static const uint8_t master[32] = {1};
        pthread_t thread;

        keys_set_master(master);
        (void)curl_global_init(CURL_GLOBAL_DEFAULT);
        listener = test_listen(&port);
        assert_int_equal(pthread_create(&thread, NULL, serve_requests, NULL), 0);
        return 0;
}

static void open_sender(const char *also, int timeout_ms)
{
        struct push_options options = {.contact = "mailto:ada@example.org", .at_once = 8, .timeout_ms = timeout_ms};
        struct str bad;

        assert_true(networks_parse(also, &options.also, &bad));
        sender = push_sender_new(&options);
}

static int setup(void **state)
{
        open_sender("127.0.0.0/8", 20000);
        return 0;
}

static int teardown(void **state)
{
        push_sender_free(sender);
        return 0;
}

static void start(const char *url, void *tag)
{
        struct push_subscription to = {.endpoint = url};
        struct push_message message = {
            .to = &to, .text = "hello", .len = 5, .ttl_s = 60, .urgency = PUSH_HIGH, .tag = tag};
        char topic[PUSH_TOPIC_CHARS + 1];
        size_t len;

        assert_true(base64url_decode(str_of(POINT), to.point, sizeof(to.point), &len));
        assert_true(base64url_decode(str_of(SECRET), to.secret, sizeof(to.secret), &len));
        message.topic = push_topic("like:1", topic);
        assert_true(push_start(sender, &message));
}

static struct push_result result_at(const char *host, const char *path)
{
        struct push_result result;
        char url[128];

        (void)snprintf(url, sizeof(url), "http://%s:%d/%s", host, port, path);
        start(url, url);
        assert_int_equal(push_wait(sender, 30000, &result, 1), 1);
        assert_ptr_equal(result.tag, url);
        assert_int_equal(push_wait(sender, 30000, &result, 1), 0);
        return result;
}

static void each_response_has_its_meaning(void **state)
{
        static const struct {
                const char *path;
                enum push_outcome outcome;
                int status, retry_after_s;
        } rows[] = {
            {"201", PUSH_SENT, 201, 0},    {"204", PUSH_SENT, 204, 0},
            {"404", PUSH_GONE, 404, 0},    {"410", PUSH_GONE, 410, 0},
            {"400", PUSH_REFUSED, 400, 0}, {"403", PUSH_REFUSED, 403, 0},
            {"413", PUSH_REFUSED, 413, 0}, {"429/120", PUSH_LATER, 429, 120},
            {"503/7", PUSH_LATER, 503, 7}, {"429/999999", PUSH_LATER, 429, 86400},
            {"500", PUSH_LATER, 500, 0},   {"302", PUSH_REFUSED, 302, 0},
        };

        for (size_t i = 0; i < sizeof(rows) / sizeof(rows[0]); i++) {
                struct push_result result = result_at("127.0.0.1", rows[i].path);

                assert_int_equal(result.status, rows[i].status);
                assert_int_equal(result.outcome, rows[i].outcome);
                assert_int_equal(result.retry_after_s, rows[i].retry_after_s);
                assert_true(result.took_us > 0);
        }
}

static void requests_match_what_push_services_expect(void **state)
{
        static const char *const lines[] = {"\r\nTTL: 60\r\n",
                                            "\r\nUrgency: high\r\n",
                                            "\r\nContent-Encoding: aes128gcm\r\n",
                                            "\r\nContent-Type: application/octet-stream\r\n",
                                            "\r\nContent-Length: 359\r\n",
                                            "\r\nTopic: ",
                                            "\r\nAuthorization: vapid t=ey"};

        assert_int_equal(result_at("127.0.0.1", "201").outcome, PUSH_SENT);
        for (size_t i = 0; i < sizeof(lines) / sizeof(lines[0]); i++) {
                assert_non_null(strstr(last_request, lines[i]));
        }
        assert_null(memmem(last_request, sizeof(last_request), "hello", 5));
}

/* The address counts, whatever the name, which may have resolved to another address when it was checked. */
static void private_addresses_are_not_connected_to(void **state)
{
        push_sender_free(sender);
        open_sender("192.0.2.1", 20000);
        struct push_result result = result_at("localhost", "201");

        assert_int_equal(result.outcome, PUSH_GONE);
        assert_int_equal(result.status, 0);
        assert_string_equal(result.reason, "the address is not public");
}

static void many_are_in_flight_at_once_up_to_the_limit(void **state)
{
        struct push_subscription to = {.endpoint = "http://127.0.0.1:1/"};
        struct push_message message = {.to = &to, .text = "x", .len = 1};
        struct push_result results[8];
        bool seen[8] = {false};
        char url[64];
        size_t n = 0;

        (void)snprintf(url, sizeof(url), "http://127.0.0.1:%d/201", port);
        for (size_t i = 0; i < 8; i++) {
                start(url, &seen[i]);
        }
        assert_false(push_start(sender, &message));
        while (n < 8) {
                size_t done = push_wait(sender, 30000, results, 8);

                assert_true(done > 0);
                for (size_t i = 0; i < done; i++) {
                        assert_int_equal(results[i].outcome, PUSH_SENT);
                        assert_false(*(bool *)results[i].tag);
                        *(bool *)results[i].tag = true;
                }
                n += done;
        }
}

static void unreachable_and_silent_services_are_retried_later(void **state)
{
        struct push_result result;

        start("http://127.0.0.1:1/201", NULL); /* no server listens */
        assert_int_equal(push_wait(sender, 30000, &result, 1), 1);
        assert_int_equal(result.outcome, PUSH_LATER);
        push_sender_free(sender);
        open_sender("127.0.0.0/8", 200);
        result = result_at("127.0.0.1", "hang"); /* the last test: the server hangs from then on */
        assert_int_equal(result.outcome, PUSH_LATER);
        assert_int_equal(result.status, 0);
}

int main(void)
{
        const struct CMUnitTest tests[] = {
            cmocka_unit_test_setup_teardown(each_response_has_its_meaning, setup, teardown),
            cmocka_unit_test_setup_teardown(requests_match_what_push_services_expect, setup, teardown),
            cmocka_unit_test_setup_teardown(private_addresses_are_not_connected_to, setup, teardown),
            cmocka_unit_test_setup_teardown(many_are_in_flight_at_once_up_to_the_limit, setup, teardown),
            cmocka_unit_test_setup_teardown(unreachable_and_silent_services_are_retried_later, setup, teardown),
        };

        return cmocka_run_group_tests_name("push send", tests, start_server, NULL);
}
