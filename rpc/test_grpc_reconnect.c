/* gRPC between two processes; the client's process has no server, so only its own calls poll its sockets. A second
 * process acts as the service; it is forked before the library starts, which cannot be forked. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <cmocka.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <sys/wait.h>
#include <unistd.h>

#include "base/clock.h"
#include "base/log.h"
#include "base/metrics.h"
#include "rpc/grpc.h"
#include "rpc/lanes.h"
#include "rpc/testdata/echo.h"

/* ---- The service's process ---- */

enum order { START, STOP };

struct message {
        enum order order;
        int port;
};

static int orders, answers; /* our ends of its pipes */
static pid_t service;

static int start(struct rpc_lanes *lanes, int port, struct sonet_grpc_server **server)
{
        struct buf error;
        char address[64];

        buf_init(&error, 1000);
        snprintf(address, sizeof(address), "127.0.0.1:%d", port);
        sn_status status = sonet_grpc_server_start(address, NULL, lanes, 100, NULL, NULL, server, &error);
        buf_free(&error);
        return status == SN_OK ? sonet_grpc_server_port(*server) : 0;
}

static void obey(int in, int out)
{
        struct sonet_grpc_server *server = NULL;
        struct message message;

        rpc_register_local(&echo_service);
        struct rpc_lanes *lanes = rpc_lanes_new(2, 1, 16);
        while (read(in, &message, sizeof(message)) == sizeof(message)) {
                if (message.order == START) {
                        message.port = start(lanes, message.port, &server);
                } else {
                        sonet_grpc_server_stop(server, 1000);
                        server = NULL;
                }
                if (write(out, &message, sizeof(message)) != sizeof(message)) {
                        break;
                }
        }
        sonet_grpc_server_stop(server, 1000);
        rpc_lanes_free(lanes);
        rpc_close();
}

static int make_service(void **state)
{
        int down[2], up[2];

        (void)state;
        if (pipe(down) != 0 || pipe(up) != 0 || (service = fork()) < 0) {
                return -1;
        }
        if (service == 0) {
                close(down[1]);
                close(up[0]);
                obey(down[0], up[1]);
                _exit(0);
        }
        close(down[0]);
        close(up[1]);
        orders = down[1];
        answers = up[0];
        return 0;
}

static int end_service(void **state)
{
        int status = -1;

        (void)state;
        close(orders);
        close(answers);
        return waitpid(service, &status, 0) == service && status == 0 ? 0 : -1;
}

/* Returns the port. */
static int order(enum order order, int port)
{
        struct message message = {order, port};

        assert_int_equal(write(orders, &message, sizeof(message)), sizeof(message));
        assert_int_equal(read(answers, &message, sizeof(message)), sizeof(message));
        assert_true(message.port > 0);
        return message.port;
}

/* ---- The client ---- */

static struct sonet_grpc_channel *channel;
static struct rpc_call *c;
static int port;

static int setup(void **state)
{
        struct buf error;
        char url[64];

        (void)state;
        port = order(START, 0);
        buf_init(&error, 1000);
        snprintf(url, sizeof(url), "grpc://127.0.0.1:%d", port);
        assert_int_equal(sonet_grpc_channel_open(url, NULL, 64, &channel, &error), SN_OK);
        buf_free(&error);
        c = echo_call_new();
        return 0;
}

static int teardown(void **state)
{
        (void)state;
        (void)kill(service, SIGCONT); /* a failed test may have left it stopped */
        sonet_grpc_channel_close(channel);
        rpc_call_free(c);
        order(STOP, port);
        return 0;
}

static sn_status call_until_deadline(const struct rpc_method *m)
{
        Echo__EchoRequest in = ECHO__ECHO_REQUEST__INIT;
        Echo__Echoed out = ECHO__ECHOED__INIT;

        return sonet_grpc_channel_call(channel, c, m, NULL, &in.base, &out.base);
}

static sn_status call(const struct rpc_method *m)
{
        c->deadline_us = clock_monotonic_us() + 10 * INT64_C(1000000);
        return call_until_deadline(m);
}

/* The library's own retry interval is 5 s; a good channel takes less than half a second. */
static void await_answer(void)
{
        int64_t until_us = clock_monotonic_us() + 3 * INT64_C(1000000);

        while (call(&echo_methods[ECHO_ECHO]) != SN_OK) {
                assert_true(clock_monotonic_us() < until_us);
                clock_sleep_ms(10);
        }
}

/* Until the channel has noticed, and retries at its own pace. */
static void await_refusals(void)
{
        for (int i = 0; i < 20; i++) {
                assert_int_equal(call(&echo_methods[ECHO_ECHO]), SN_UNAVAILABLE);
                clock_sleep_ms(20);
        }
}

static void a_service_that_starts_later_is_reached_soon(void **state)
{
        (void)state;
        order(STOP, port);
        await_refusals();
        order(START, port);
        await_answer();
}

static void a_service_that_restarts_is_reached_soon(void **state)
{
        (void)state;
        for (int i = 0; i < 3; i++) {
                assert_int_equal(call(&echo_methods[ECHO_ECHO]), SN_OK);
                order(STOP, port);
                await_refusals();
                order(START, port);
                await_answer();
        }
}

static void a_restart_between_two_calls_is_not_noticed(void **state)
{
        (void)state;
        for (int i = 0; i < 3; i++) {
                assert_int_equal(call(&echo_methods[ECHO_ECHO]), SN_OK);
                order(STOP, port);
                order(START, port);
                assert_int_equal(call(&echo_methods[ECHO_ECHO]), SN_OK);
        }
}

/* The channel is then between two attempts, and calls that do not wait fail. */
static void a_read_reaches_a_service_that_has_just_restarted(void **state)
{
        (void)state;
        for (int i = 0; i < 3; i++) {
                assert_int_equal(call(&echo_methods[ECHO_ECHO]), SN_OK);
                order(STOP, port);
                assert_int_equal(call(&echo_methods[ECHO_ECHO]), SN_UNAVAILABLE);
                assert_int_equal(call(&echo_methods[ECHO_ECHO]), SN_UNAVAILABLE);
                order(START, port);
                assert_int_equal(call(&echo_methods[ECHO_ECHO]), SN_OK);
        }
}

static void an_unreachable_service_costs_its_callers_little_time(void **state)
{
        (void)state;
        order(STOP, port);
        assert_int_equal(call(&echo_methods[ECHO_ECHO]), SN_UNAVAILABLE);
        int64_t began_us = clock_monotonic_us();
        for (int i = 0; i < 50; i++) {
                assert_int_equal(call(&echo_methods[ECHO_ECHO]), SN_UNAVAILABLE);
        }
        assert_true(clock_monotonic_us() - began_us < 10 * INT64_C(1000000)); /* the deadline of one of them */
        order(START, port);
        await_answer();
}

/* All its threads are stopped when this returns: a signal that was sent may not have arrived. */
static void hold_service(void)
{
        int status = 0;

        assert_int_equal(kill(service, SIGSTOP), 0);
        assert_int_equal(waitpid(service, &status, WUNTRACED), service);
        assert_true(WIFSTOPPED(status));
}

static void a_hanging_service_is_abandoned_until_it_resumes(void **state)
{
        (void)state;
        assert_int_equal(call(&echo_methods[ECHO_ECHO]), SN_OK);
        hold_service();
        c->deadline_us = clock_monotonic_us() + 60 * INT64_C(1000000);
        assert_int_equal(call_until_deadline(&echo_methods[ECHO_ECHO]), SN_UNAVAILABLE);
        assert_int_equal(call_until_deadline(&echo_methods[ECHO_ECHO]), SN_UNAVAILABLE);
        assert_int_equal(kill(service, SIGCONT), 0);
        await_answer();
}

static int64_t breaker(void)
{
        return metric_value(metric_gauge("sonet_rpc_breaker", "", metrics_intern("callee=\"127.0.0.1:%d\"", port)));
}

/* There are no calls meanwhile. */
static void await_breaker(int64_t value)
{
        int64_t until_us = clock_monotonic_us() + 60 * INT64_C(1000000);

        while (breaker() != value) {
                assert_true(clock_monotonic_us() < until_us);
                clock_sleep_ms(10);
        }
}

static void a_service_that_hangs_without_calls_is_detected(void **state)
{
        (void)state;
        assert_int_equal(call(&echo_methods[ECHO_ECHO]), SN_OK);
        hold_service();
        await_breaker(1);
        assert_int_equal(call(&echo_methods[ECHO_ECHO]), SN_UNAVAILABLE);
        assert_int_equal(kill(service, SIGCONT), 0);
        await_breaker(0);
        assert_int_equal(call(&echo_methods[ECHO_ECHO]), SN_OK);
}

#define TEST(fn) cmocka_unit_test_setup_teardown(fn, setup, teardown)

int main(void)
{
        const struct CMUnitTest tests[] = {
            TEST(a_service_that_starts_later_is_reached_soon),
            TEST(a_service_that_restarts_is_reached_soon),
            TEST(a_restart_between_two_calls_is_not_noticed),
            TEST(a_read_reaches_a_service_that_has_just_restarted),
            TEST(an_unreachable_service_costs_its_callers_little_time),
            TEST(a_hanging_service_is_abandoned_until_it_resumes),
            TEST(a_service_that_hangs_without_calls_is_detected),
        };
        log_setup("test", LOG_LEVEL_ERROR, LOG_FORMAT_TEXT);
        echo_setup();
        return cmocka_run_group_tests(tests, make_service, end_service);
}
