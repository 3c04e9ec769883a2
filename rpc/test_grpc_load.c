/* gRPC: health, full queues, servers that stop and restart. */
#include "rpc/testdata/wire.h"

#include <pthread.h>
#include <stdio.h>
#include <time.h>

#include "base/clock.h"
#include "base/log.h"
#include "base/metrics.h"
#include "grpc/health/v1/health.rpc.h"

/* ---- Health ---- */

static sn_status check_health(const char *service, int *serving)
{
        static const struct rpc_service health = {.name = "health"};
        const struct rpc_method check = {.service = &health,
                                         .full_name = "/grpc.health.v1.Health/Check",
                                         .in = &grpc__health__v1__health_check_request__message,
                                         .out = &grpc__health__v1__health_check_response__message};
        Grpc__Health__V1__HealthCheckRequest in = GRPC__HEALTH__V1__HEALTH_CHECK_REQUEST__INIT;
        Grpc__Health__V1__HealthCheckResponse out = GRPC__HEALTH__V1__HEALTH_CHECK_RESPONSE__INIT;
        in.service = (char *)service;
        sn_status status = sonet_grpc_channel_call(channel, c, &check, NULL, &in.base, &out.base);
        *serving = (int)out.status;
        return status;
}

static void health_reports_readiness(void **state)
{
        (void)state;
        int serving;
        is_ready = true;
        assert_int_equal(check_health("", &serving), SN_OK);
        assert_int_equal(serving, GRPC__HEALTH__V1__HEALTH_CHECK_RESPONSE__SERVING_STATUS__SERVING);
        is_ready = false;
        assert_int_equal(check_health("sonet.echo.v1.EchoService", &serving), SN_OK);
        assert_int_equal(serving, GRPC__HEALTH__V1__HEALTH_CHECK_RESPONSE__SERVING_STATUS__NOT_SERVING);
        is_ready = true;
        assert_int_equal(check_health("sonet.note.v1.NoteService", &serving), SN_NOT_FOUND);
}

/* ---- Load and deadlines ---- */

struct waiter {
        pthread_t thread;
        struct rpc_call *c;
        sn_status status;
};

static void *wait_main(void *arg)
{
        struct waiter *w = arg;
        Echo__EchoRequest in = ECHO__ECHO_REQUEST__INIT;
        Echo__Echoed out = ECHO__ECHOED__INIT;
        w->status = sonet_grpc_channel_call(channel, w->c, &echo_methods[ECHO_WAIT], NULL, &in.base, &out.base);
        return NULL;
}

static void waiter_start(struct waiter *w, int64_t deadline_s)
{
        w->c = echo_call_new();
        w->c->deadline_us = clock_monotonic_us() + deadline_s * 1000000;
        assert_int_equal(pthread_create(&w->thread, NULL, wait_main, w), 0);
}

static sn_status waiter_join(struct waiter *w)
{
        pthread_join(w->thread, NULL);
        sn_status status = w->status;
        rpc_call_free(w->c);
        return status;
}

static void a_full_lane_rejects_at_once_and_the_others_finish(void **state)
{
        (void)state;
        enum { N = 6 };
        static struct waiter waiters[N];
        echo_gate_close();
        waiter_start(&waiters[0], 20);
        echo_gate_await(1); /* the only worker is busy */
        for (int i = 1; i < N; i++) {
                waiter_start(&waiters[i], 20);
        }
        /* One slot in the queue, ours or another's: eventually the next one is rejected, while the worker is still
         * inside. */
        int refused = 0, served = 0;
        Echo__EchoRequest in = ECHO__ECHO_REQUEST__INIT;
        Echo__Echoed out;
        int64_t give_up_us = clock_monotonic_us() + 20000000;
        do {
                assert_true(clock_monotonic_us() < give_up_us);
                c->deadline_us = clock_monotonic_us() + 200000;
        } while (call(&echo_methods[ECHO_ECHO], NULL, &in, &out) != SN_RESOURCE_EXHAUSTED);
        assert_string_equal(c->problem.code, "queue_full");
        assert_in_range(c->problem.retry_after_s, 1, 60);
        echo_gate_open();
        for (int i = 0; i < N; i++) {
                sn_status status = waiter_join(&waiters[i]);
                refused += status == SN_RESOURCE_EXHAUSTED;
                served += status == SN_OK;
        }
        assert_int_equal(refused + served, N);
        assert_true(served >= 1);
}

static int64_t a_minute_later(void)
{
        struct timespec now;
        clock_gettime(CLOCK_MONOTONIC, &now);
        return (now.tv_sec + 60) * 1000000 + now.tv_nsec / 1000;
}

static void a_request_that_waited_too_long_is_not_started(void **state)
{
        (void)state;
        static struct waiter w;
        struct metric *waiting = metric_gauge("sonet_workers_waiting", "", metrics_intern("pool=\"general\""));
        Echo__EchoRequest in = ECHO__ECHO_REQUEST__INIT;
        Echo__Echoed out;
        echo_gate_close();
        waiter_start(&w, 600);
        echo_gate_await(1);
        (void)echo_runs();
        sn_status status;
        do { /* until one certainly waits behind it */
                c->deadline_us = clock_monotonic_us() + 100000;
                status = call(&echo_methods[ECHO_ECHO], NULL, &in, &out);
        } while (status == SN_DEADLINE_EXCEEDED && metric_value(waiting) == 0);
        clock_set_source(&(struct clock_source){.monotonic_us = a_minute_later});
        echo_gate_open();
        assert_int_equal(waiter_join(&w), SN_OK);
        do { /* the only worker takes them in order: once this one is served, the other one has been skipped */
                c->deadline_us = clock_monotonic_us() + 5000000;
                status = call(&echo_methods[ECHO_ECHO], NULL, &in, &out);
        } while (status == SN_RESOURCE_EXHAUSTED);
        clock_set_source(NULL);
        assert_int_equal(status, SN_OK);
        assert_int_equal(echo_runs(), 2);
}

/* ---- Stop and start ---- */

static void *stop_main(void *arg)
{
        sonet_grpc_server_stop(server, *(int *)arg);
        server = NULL;
        return NULL;
}

static void a_stop_finishes_running_calls(void **state)
{
        (void)state;
        static struct waiter w;
        pthread_t stopper;
        int grace_ms = 10000;
        echo_gate_close();
        waiter_start(&w, 20);
        echo_gate_await(1);
        assert_int_equal(pthread_create(&stopper, NULL, stop_main, &grace_ms), 0);
        /* While it stops it accepts no new calls. */
        Echo__EchoRequest in = ECHO__ECHO_REQUEST__INIT;
        Echo__Echoed out;
        while (call(&echo_methods[ECHO_ECHO], NULL, &in, &out) == SN_OK) {
                assert_false(rpc_call_expired(c));
        }
        assert_int_equal(c->problem.status, SN_UNAVAILABLE);
        echo_gate_open();
        pthread_join(stopper, NULL);
        assert_int_equal(waiter_join(&w), SN_OK);
}

static void beyond_the_grace_clients_get_an_error_and_handlers_still_finish(void **state)
{
        (void)state;
        static struct waiter w;
        pthread_t stopper;
        int grace_ms = 0;
        echo_gate_close();
        waiter_start(&w, 20);
        echo_gate_await(1);
        (void)echo_runs();
        assert_int_equal(pthread_create(&stopper, NULL, stop_main, &grace_ms), 0);
        assert_int_equal(waiter_join(&w), SN_UNAVAILABLE); /* returns while the handler is inside */
        assert_int_equal(echo_runs(), 0);
        echo_gate_open();
        pthread_join(stopper, NULL);
        assert_int_equal(echo_runs(), 1);
}

static void clients_that_cancel_leave_nothing_behind(void **state)
{
        (void)state;
        echo_gate_close();
        for (int i = 0; i < 4; i++) { /* two are inside, two wait for a worker */
                assert_int_equal(raw_status(&(struct raw_request){.path = PATH("Wait"), .bytes = "", .timeout_ms = 50}),
                                 SN_DEADLINE_EXCEEDED);
        }
        echo_gate_open();
        assert_int_equal(raw_status(&(struct raw_request){.path = PATH("Echo"), .bytes = ""}), SN_OK);
        sonet_grpc_server_stop(server, 60000); /* returns once all of them have ended */
        server = NULL;
}

static void a_service_that_is_down_is_unavailable_and_reached_again(void **state)
{
        (void)state;
        Echo__EchoRequest in = ECHO__ECHO_REQUEST__INIT;
        Echo__Echoed out;
        for (int i = 0; i < 3; i++) {
                int same_port = port();
                assert_int_equal(call(&echo_methods[ECHO_ECHO], NULL, &in, &out), SN_OK);
                sonet_grpc_server_stop(server, 1000);
                server = NULL;
                assert_int_equal(call(&echo_methods[ECHO_ECHO], NULL, &in, &out), SN_UNAVAILABLE);
                assert_string_equal(c->problem.code, "unavailable");
                assert_true(c->problem.retry_after_s > 0);
                start_server(same_port);
                c->deadline_us = clock_monotonic_us() + 10000000;
                while (call(&echo_methods[ECHO_ECHO], NULL, &in, &out) != SN_OK) {
                        assert_false(rpc_call_expired(c));
                        clock_sleep_ms(20);
                }
        }
}

static void unencrypted_addresses_are_loopback_only(void **state)
{
        (void)state;
        static const char *const urls[] = {"grpc://192.0.2.1:1", "grpc://example.org:1", "grpc://0.0.0.0:1",
                                           "http://127.0.0.1:1", "grpc://127.0.0.1",     "grpc://127.0.0.1:0",
                                           "grpc://:1",          "grpc://127.0.0.1:1/x"};
        struct sonet_grpc_channel *opened = NULL;
        struct buf error;
        buf_init(&error, 1000);
        for (size_t i = 0; i < sizeof(urls) / sizeof(urls[0]); i++) {
                buf_reset(&error);
                assert_int_not_equal(sonet_grpc_channel_open(urls[i], NULL, 64, &opened, &error), SN_OK);
                assert_true(error.len > 0);
        }
        buf_free(&error);
        struct sonet_grpc_server *running = server;
        char taken[64];
        snprintf(taken, sizeof(taken), "127.0.0.1:%d", port());
        assert_int_equal(start_on("0.0.0.0:0", NULL), SN_FAILED_PRECONDITION);
        assert_int_equal(start_on("[::]:0", NULL), SN_FAILED_PRECONDITION);
        assert_int_equal(start_on(taken, NULL), SN_FAILED_PRECONDITION);
        server = running;
}

int main(void)
{
        const struct CMUnitTest tests[] = {
            TEST(health_reports_readiness),
            NARROW_TEST(a_full_lane_rejects_at_once_and_the_others_finish),
            NARROW_TEST(a_request_that_waited_too_long_is_not_started),
            TEST(a_stop_finishes_running_calls),
            TEST(beyond_the_grace_clients_get_an_error_and_handlers_still_finish),
            TEST(clients_that_cancel_leave_nothing_behind),
            TEST(a_service_that_is_down_is_unavailable_and_reached_again),
            TEST(unencrypted_addresses_are_loopback_only),
        };
        log_setup("test", LOG_LEVEL_ERROR, LOG_FORMAT_TEXT);
        echo_setup();
        return cmocka_run_group_tests(tests, NULL, NULL);
}
