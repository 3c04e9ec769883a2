/* Stopping a server: running requests are finished, new ones rejected, and those that take too long dropped. */
#include "http/test_support.h"

#include <pthread.h>
#include <stdatomic.h>
#include <string.h>
#include <unistd.h>

#include "base/clock.h"

static struct fixture f;

struct stopper {
        pthread_t thread;
        int grace_ms;
        atomic_bool stopped;
};

static void *stop_main(void *arg)
{
        struct stopper *s = arg;
        http_server_stop(f.server, s->grace_ms);
        f.server = NULL;
        atomic_store(&s->stopped, true);
        return NULL;
}

static bool refuses_connections(void)
{
        int fd = client_try(&f);
        if (fd >= 0) {
                close(fd);
        }
        return fd < 0;
}

static void stopping_finishes_running_requests_and_accepts_no_new_ones(void **state)
{
        fixture_start_limits(&f, 10000, 60000);
        struct stopper s = {.grace_ms = 30000};
        int fds[3], idle = client_open(&f), half = client_open(&f);
        client_send_text(half, "GET /echo HTTP/1.1\r\nHo");
        for (int i = 0; i < 3; i++) {
                fds[i] = client_open(&f);
                client_send_text(fds[i], "GET /block HTTP/1.1\r\nHost: h\r\n\r\n");
                fixture_wait_blocked(i + 1);
        }
        pthread_create(&s.thread, NULL, stop_main, &s);
        WAIT_UNTIL(refuses_connections());
        client_send_text(idle, "GET /echo HTTP/1.1\r\nHost: h\r\n\r\n");
        client_expect(idle, 503, NULL);
        client_expect_end(idle);
        assert_false(atomic_load(&s.stopped));
        fixture_release();
        for (int i = 0; i < 3; i++) {
                struct reply r;
                client_read(fds[i], &r, false);
                assert_int_equal(r.status, 200);
                assert_true(reply_has(&r, "Connection: close"));
                reply_free(&r);
                client_expect_end(fds[i]);
        }
        pthread_join(s.thread, NULL);
        client_expect_end(half);
        fixture_stop(&f);
}

static void requests_beyond_the_grace_are_dropped_and_late_responses_discarded(void **state)
{
        fixture_start_limits(&f, 10000, 60000);
        int fds[3], reader = client_open(&f);
        client_send_text(reader, "GET /big HTTP/1.1\r\nHost: h\r\n\r\n"); /* and never reads */
        for (int i = 0; i < 3; i++) {
                fds[i] = client_open(&f);
                client_send_text(fds[i], "POST /block HTTP/1.1\r\nHost: h\r\nContent-Length: 3\r\n\r\nabc");
                fixture_wait_blocked(i + 1);
        }
        http_server_stop(f.server, 50);
        f.server = NULL;
        for (int i = 0; i < 3; i++) {
                client_expect_end(fds[i]);
        }
        fixture_wait_blocked(3); /* they still run, on a server that has stopped */
        close(reader);
        fixture_stop(&f);
}

struct load {
        atomic_int answered;
        atomic_bool stopping;
};

/* Until the server stops; before that every response is 200. */
static void ask_until_refused(struct load *load, int fd)
{
        struct reply r;
        bool more = true;

        for (int i = 0; more && i < 50; i++) {
                client_send_text(fd, "POST /echo HTTP/1.1\r\nHost: h\r\nContent-Length: 3\r\n\r\nabc");
                client_read(fd, &r, false);
                more = r.status == 200 && !reply_has(&r, "Connection: close");
                assert_true(r.status == 200 || atomic_load(&load->stopping));
                atomic_fetch_add(&load->answered, r.status == 200);
                reply_free(&r);
        }
}

static void *keep_asking(void *arg)
{
        struct load *load = arg;
        int fd;

        while (!atomic_load(&load->stopping) && (fd = client_try(&f)) >= 0) {
                ask_until_refused(load, fd);
                close(fd);
        }
        return NULL;
}

static void a_server_can_be_stopped_under_load(void **state)
{
        for (int round = 0; round < 10; round++) {
                struct load load = {0};
                pthread_t clients[6];

                fixture_start_limits(&f, 10000, 60000);
                struct http_server *server = f.server;

                for (int i = 0; i < 6; i++) {
                        pthread_create(&clients[i], NULL, keep_asking, &load);
                }
                WAIT_UNTIL(atomic_load(&load.answered) >= 100 * (round + 1));
                atomic_store(&load.stopping, true);
                http_server_stop(server, round % 2 == 0 ? 2000 : 0);
                for (int i = 0; i < 6; i++) {
                        pthread_join(clients[i], NULL);
                }
                f.server = NULL;
                fixture_stop(&f);
        }
}

static void a_taken_port_is_an_error_with_a_reason(void **state)
{
        fixture_start_limits(&f, 10000, 60000);
        struct http_options o = fixture_options();
        struct http_handlers handlers = {0};
        struct http_server *server = NULL;
        struct buf error;
        buf_init(&error, 1000);
        o.address = "127.0.0.1";
        o.port = f.port;
        assert_int_equal(http_server_start(&o, &handlers, &server, &error), SN_UNAVAILABLE);
        assert_non_null(strstr(error.data, "in use"));
        buf_reset(&error);
        o.address = "no such address";
        assert_int_equal(http_server_start(&o, &handlers, &server, &error), SN_INVALID_ARGUMENT);
        assert_true(error.len > 10);
        assert_null(server);
        http_server_stop(NULL, 0);
        buf_free(&error);
        fixture_stop(&f);
}

int main(void)
{
        const struct CMUnitTest tests[] = {
            cmocka_unit_test(stopping_finishes_running_requests_and_accepts_no_new_ones),
            cmocka_unit_test(requests_beyond_the_grace_are_dropped_and_late_responses_discarded),
            cmocka_unit_test(a_server_can_be_stopped_under_load),
            cmocka_unit_test(a_taken_port_is_an_error_with_a_reason),
        };

        return cmocka_run_group_tests_name("http stop", tests, NULL, NULL);
}
