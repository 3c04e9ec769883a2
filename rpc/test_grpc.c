/* gRPC: what only a wire can bring. Hostile bytes, full queues, servers that go and come, certificates. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <cmocka.h>
#include <pthread.h>
#include <stdatomic.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>
#include <unistd.h>

#include "auth/service_token.h"
#include "base/clock.h"
#include "base/log.h"
#include "base/metrics.h"
#include "grpc/health/v1/health.rpc.h"
#include "rpc/call_graph.h"
#include "rpc/grpc.h"
#include "rpc/lanes.h"
#include "rpc/rate_limit.h"
#include "rpc/testdata/echo.h"
#include "rpc/testdata/raw_grpc.h"

#define PATH(method) "/sonet.echo.v1.EchoService/" method

/* ---- One server and one channel to it ---- */

static struct rpc_lanes *lanes;
static struct sonet_grpc_server *server;
static struct sonet_grpc_channel *channel;
static struct rpc_call *c;
static atomic_bool is_ready = true;

static bool ready(void *context)
{
        (void)context;
        return is_ready;
}

static int port(void)
{
        return sonet_grpc_server_port(server);
}

static sn_status start_on(const char *address, const struct grpc_tls *tls)
{
        struct buf error;
        buf_init(&error, 1000);
        sn_status status = sonet_grpc_server_start(address, tls, lanes, 100, ready, NULL, &server, &error);
        if (status == SN_OK) {
                assert_int_equal(error.len, 0);
        } else {
                assert_true(error.len > 0);
        }
        buf_free(&error);
        return status;
}

static void start_server(int port_wanted)
{
        char address[64];
        snprintf(address, sizeof(address), "127.0.0.1:%d", port_wanted);
        assert_int_equal(start_on(address, NULL), SN_OK);
}

static struct sonet_grpc_channel *open_channel(const char *scheme, const struct grpc_tls *tls)
{
        struct sonet_grpc_channel *opened = NULL;
        struct buf error;
        char url[64];
        buf_init(&error, 1000);
        snprintf(url, sizeof(url), "%s://127.0.0.1:%d", scheme, port());
        assert_int_equal(sonet_grpc_channel_open(url, tls, 64, &opened, &error), SN_OK);
        buf_free(&error);
        return opened;
}

static int setup_with(int threads, int queue_length)
{
        rpc_register_local(&echo_service);
        lanes = rpc_lanes_new(threads, 1, queue_length);
        start_server(0);
        channel = open_channel("grpc", NULL);
        c = echo_call_new();
        (void)echo_runs();
        return 0;
}

static int setup(void **state)
{
        (void)state;
        return setup_with(4, 16); /* two for calls */
}

static int setup_narrow(void **state)
{
        (void)state;
        return setup_with(1, 1);
}

static int teardown(void **state)
{
        (void)state;
        echo_gate_open();
        sonet_grpc_channel_close(channel);
        sonet_grpc_server_stop(server, 5000);
        server = NULL;
        rpc_lanes_free(lanes);
        rpc_call_free(c);
        rpc_close();
        return 0;
}

static sn_status call(const struct rpc_method *m, const char *service_token, const Echo__EchoRequest *in,
                      Echo__Echoed *out)
{
        echo__echoed__init(out);
        return sonet_grpc_channel_call(channel, c, m, service_token, &in->base, &out->base);
}

static int raw_status(const struct raw_request *request)
{
        struct raw_answer answer;
        struct raw_request with_port = *request;
        with_port.port = port();
        raw_grpc_call(&with_port, &answer);
        return answer.status;
}

/* ---- Hostile input ---- */

static void an_unknown_method_is_refused(void **state)
{
        (void)state;
        struct raw_answer answer;
        const char *paths[] = {PATH("Nope"), "/sonet.echo.v1.Nope/Echo", "/", "/grpc.health.v1.Health/Watch"};
        for (size_t i = 0; i < sizeof(paths) / sizeof(paths[0]); i++) {
                raw_grpc_call(&(struct raw_request){.port = port(), .path = paths[i], .bytes = "", .len = 0}, &answer);
                assert_int_equal(answer.status, SN_UNIMPLEMENTED);
                assert_true(answer.has_problem);
        }
}

static void an_internal_method_looks_like_an_unknown_one(void **state)
{
        (void)state;
        struct raw_answer unknown, inside;
        raw_grpc_call(&(struct raw_request){.port = port(), .path = PATH("Nope"), .bytes = "", .len = 0}, &unknown);
        raw_grpc_call(&(struct raw_request){.port = port(), .path = PATH("Inside"), .bytes = "", .len = 0}, &inside);
        assert_int_equal(inside.status, unknown.status);
        assert_string_equal(inside.detail, unknown.detail);
        /* Not even the message is looked at. */
        assert_int_equal(raw_status(&(struct raw_request){.path = PATH("Inside"), .bytes = "\xff\xff", .len = 2}),
                         unknown.status);
        assert_int_equal(echo_runs(), 0);
}

static void malformed_bytes_are_refused(void **state)
{
        (void)state;
        static const struct {
                const char *bytes;
                size_t len;
        } bad[] = {
            {"\xff\xff\xff\xff\xff\xff\xff\xff\xff\xff", 10}, /* a tag without end */
            {"\x0a\xff\xff\xff\xff\x7f", 6},                  /* a length far beyond the message */
            {"\x0a\x05"
             "ab",
             4},                     /* cut off */
            {"\x0a\x02\xc3\x28", 4}, /* no UTF-8 */
            {"\x0a\x03"
             "a\0b",
             5},                     /* NUL inside a text */
            {"\x0b\x0b\x0b\x0b", 4}, /* groups */
        };
        for (size_t i = 0; i < sizeof(bad) / sizeof(bad[0]); i++) {
                struct raw_answer answer;
                raw_grpc_call(
                    &(struct raw_request){
                        .port = port(), .path = PATH("Echo"), .bytes = bad[i].bytes, .len = bad[i].len},
                    &answer);
                assert_int_equal(answer.status, SN_INVALID_ARGUMENT);
                assert_true(answer.has_problem);
        }
        assert_int_equal(echo_runs(), 0);
}

static void a_call_without_a_message_is_refused(void **state)
{
        (void)state;
        assert_int_equal(raw_status(&(struct raw_request){.path = PATH("Echo")}), SN_INVALID_ARGUMENT);
        assert_int_equal(echo_runs(), 0);
}

static void a_message_over_4_mib_is_refused(void **state)
{
        (void)state;
        size_t len = 4 * 1024 * 1024 + 1;
        char *bytes = calloc(1, len);
        assert_int_equal(raw_status(&(struct raw_request){.path = PATH("Echo"), .bytes = bytes, .len = len}),
                         SN_RESOURCE_EXHAUSTED);
        free(bytes);
        assert_int_equal(echo_runs(), 0);
}

static void a_message_of_almost_4_mib_arrives(void **state)
{
        (void)state;
        size_t len = 4 * 1024 * 1024 - 1000;
        Echo__EchoRequest in = ECHO__ECHO_REQUEST__INIT;
        Echo__Echoed out;
        in.text = malloc(len + 1);
        memset(in.text, 'a', len);
        in.text[len] = '\0';
        assert_int_equal(call(&echo_methods[ECHO_ECHO], NULL, &in, &out), SN_OK);
        assert_int_equal(strlen(out.text), len);
        free(in.text);
}

static void a_message_in_gzip_is_taken(void **state)
{
        (void)state;
        struct raw_answer answer;
        char bytes[2 + 100] = {0x0a, 100};
        memset(bytes + 2, 'z', 100);
        raw_grpc_call(
            &(struct raw_request){
                .port = port(), .path = PATH("Echo"), .bytes = bytes, .len = sizeof(bytes), .compressed = true},
            &answer);
        assert_int_equal(answer.status, SN_OK);
        assert_memory_equal(answer.message + 5, bytes, sizeof(bytes)); /* the echo's first field */
}

static void gzip_that_would_unpack_to_over_4_mib_is_refused(void **state)
{
        (void)state;
        size_t len = 100 << 20; /* 100 KiB of gzip */
        char *zeros = calloc(1, len);
        struct raw_answer answer;
        raw_grpc_call(&(struct raw_request){.port = port(),
                                            .path = PATH("Echo"),
                                            .bytes = zeros,
                                            .len = len,
                                            .compressed = true,
                                            .timeout_ms = 60000},
                      &answer);
        free(zeros);
        assert_int_equal(answer.status, SN_RESOURCE_EXHAUSTED);
        assert_int_equal(echo_runs(), 0);
}

static void encodings_that_are_not_known_are_refused(void **state)
{
        (void)state;
        assert_int_equal(raw_status(&(struct raw_request){
                             .path = PATH("Echo"), .bytes = "", .metadata = {"grpc-encoding", "snappy"}}),
                         SN_UNIMPLEMENTED);
        assert_int_equal(echo_runs(), 0);
}

static void credentials_and_keys_that_are_given_twice_are_refused(void **state)
{
        (void)state;
        static const char *const once[] = {"authorization", "idempotency-key", "sonet-service", "grpc-timeout"};
        for (size_t i = 0; i < sizeof(once) / sizeof(once[0]); i++) {
                struct raw_answer answer;
                raw_grpc_call(
                    &(struct raw_request){
                        .port = port(), .path = PATH("Echo"), .bytes = "", .metadata = {once[i], "5S", once[i], "5S"}},
                    &answer);
                assert_int_equal(answer.status, SN_INVALID_ARGUMENT);
                assert_non_null(strstr(answer.detail, once[i]));
        }
        assert_int_equal(echo_runs(), 0);
}

static void a_time_out_that_is_malformed_is_refused(void **state)
{
        (void)state;
        static const char *const bad[] = {"5", "S", "5s", "-5S", "123456789S", "5 S", "1.5S"};
        for (size_t i = 0; i < sizeof(bad) / sizeof(bad[0]); i++) {
                assert_int_equal(raw_status(&(struct raw_request){
                                     .path = PATH("Echo"), .bytes = "", .metadata = {"grpc-timeout", bad[i]}}),
                                 SN_INVALID_ARGUMENT);
        }
        assert_int_equal(echo_runs(), 0);
}

static void the_message_names_the_field(void **state)
{
        (void)state;
        struct raw_answer answer; /* numbers: [5000] */
        raw_grpc_call(
            &(struct raw_request){.port = port(), .path = PATH("Echo"), .bytes = "\x1a\x02\x88\x27", .len = 4},
            &answer);
        assert_int_equal(answer.status, SN_INVALID_ARGUMENT);
        assert_int_equal(strncmp(answer.detail, "numbers[0]: ", 12), 0);
}

static void an_answer_that_is_too_large_is_a_clean_failure(void **state)
{
        (void)state;
        Echo__EchoRequest in = ECHO__ECHO_REQUEST__INIT;
        Echo__Echoed out;
        const int64_t sizes[] = {5000000, 20000000}; /* over the message's limit; over the arena's */
        for (size_t i = 0; i < 2; i++) {
                in.answer_bytes = sizes[i];
                assert_int_equal(call(&echo_methods[ECHO_ECHO], NULL, &in, &out), SN_RESOURCE_EXHAUSTED);
                assert_string_equal(c->problem.code, "too_large");
        }
}

static void tokens_that_are_not_ours_are_refused(void **state)
{
        (void)state;
        Echo__EchoRequest in = ECHO__ECHO_REQUEST__INIT;
        Echo__Echoed out;
        c->bearer = "eyJhbGciOiJub25lIn0.e30.";
        assert_int_equal(call(&echo_methods[ECHO_ECHO], NULL, &in, &out), SN_UNAUTHENTICATED);
        c->bearer = "";
        assert_int_equal(call(&echo_methods[ECHO_INSIDE], "gateway.echo.4000000000.AAAA", &in, &out),
                         SN_UNAUTHENTICATED);
        const char *elsewhere = service_token_for(c->arena, "gateway", "note");
        assert_int_equal(call(&echo_methods[ECHO_INSIDE], elsewhere, &in, &out), SN_UNAUTHENTICATED);
        assert_int_equal(echo_runs(), 0);
        const char *here = service_token_for(c->arena, "gateway", "echo");
        assert_int_equal(call(&echo_methods[ECHO_INSIDE], here, &in, &out), SN_OK);
}

static int64_t an_hour_ago_us(void)
{
        struct timespec now;
        clock_gettime(CLOCK_REALTIME, &now);
        return (now.tv_sec - 3600) * 1000000;
}

static void a_token_of_the_right_key_that_is_over_is_refused(void **state)
{
        (void)state;
        Echo__EchoRequest in = ECHO__ECHO_REQUEST__INIT;
        Echo__Echoed out;
        clock_set_source(&(struct clock_source){.wall_us = an_hour_ago_us});
        echo_log_in(c, "read write");
        assert_int_equal(call(&echo_methods[ECHO_WRITE], NULL, &in, &out), SN_OK);
        (void)echo_runs();
        clock_set_source(NULL);
        assert_int_equal(call(&echo_methods[ECHO_WRITE], NULL, &in, &out), SN_UNAUTHENTICATED);
        assert_string_equal(c->problem.code, "token_expired");
        assert_int_equal(call(&echo_methods[ECHO_ECHO], NULL, &in, &out), SN_UNAUTHENTICATED); /* open to nobody, too */
        assert_int_equal(echo_runs(), 0);
}

static void the_outside_cannot_claim_an_address(void **state)
{
        (void)state;
        Echo__EchoRequest in = ECHO__ECHO_REQUEST__INIT;
        Echo__Echoed out;
        c->client_address = "203.0.113.7";
        assert_int_equal(call(&echo_methods[ECHO_ECHO], NULL, &in, &out), SN_OK);
        assert_string_equal(out.client_address, "127.0.0.1");
        assert_string_equal(out.caller, "");
}

static void strange_metadata_does_no_harm(void **state)
{
        (void)state;
        static const char *const strange[][2] = {
            {"traceparent", "00-00000000000000000000000000000000-0000000000000000-00"},
            {"traceparent", "--------"},
            {"traceparent", "ff-4bf92f3577b34da6a3ce929d0e0e4736-00f067aa0ba902b7-01"},
            {"x-request-id", ";                                       ;"},
            {"sonet-client-agent-bin", "\xff\xfe"},
            {"idempotency-key", "ignored by reads"},
        };
        for (size_t i = 0; i < sizeof(strange) / sizeof(strange[0]); i++) {
                struct raw_request request = {.path = PATH("Echo"), .bytes = "", .len = 0};
                request.metadata[0] = strange[i][0];
                request.metadata[1] = strange[i][1];
                assert_int_equal(raw_status(&request), SN_OK);
        }
        struct raw_request scheme = {.path = PATH("Echo"), .bytes = "", .metadata = {"authorization", "Bearer"}};
        assert_int_equal(raw_status(&scheme), SN_UNAUTHENTICATED);
}

static void a_flood_of_metadata_is_refused(void **state)
{
        (void)state;
        static const struct {
                size_t bytes;
                int status;
        } floods[] = {{17000, SN_RESOURCE_EXHAUSTED}, {60000, SN_RESOURCE_EXHAUSTED}, {1000000, SN_UNAVAILABLE}};
        for (size_t i = 0; i < sizeof(floods) / sizeof(floods[0]); i++) {
                char *flood = test_malloc(floods[i].bytes + 1);
                memset(flood, 'a', floods[i].bytes);
                flood[floods[i].bytes] = '\0';
                struct raw_request request = {.path = PATH("Echo"), .bytes = "", .metadata = {"x-flood", flood}};
                assert_int_equal(raw_status(&request), floods[i].status);
                test_free(flood);
        }
        assert_int_equal(echo_runs(), 0);
        assert_int_equal(raw_status(&(struct raw_request){.path = PATH("Echo"), .bytes = ""}), SN_OK);
}

static void request_ids_are_harmless_in_logs(void **state)
{
        (void)state;
        Echo__EchoRequest in = ECHO__ECHO_REQUEST__INIT;
        Echo__Echoed out;
        static const char *const kept[] = {"a", "01890a5d-ac96-774b-bcce-b302099a8057", "A_b.c-9"};
        for (size_t i = 0; i < sizeof(kept) / sizeof(kept[0]); i++) {
                c->request_id = kept[i];
                assert_int_equal(call(&echo_methods[ECHO_ECHO], NULL, &in, &out), SN_OK);
                assert_string_equal(out.request_id, kept[i]);
        }
        static const char *const replaced[] = {"a b", "<script>", "x\"y", "a/b",
                                               "00000000000000000000000000000000000000000000000000000000000000000"};
        for (size_t i = 0; i < sizeof(replaced) / sizeof(replaced[0]); i++) {
                c->request_id = replaced[i];
                assert_int_equal(call(&echo_methods[ECHO_ECHO], NULL, &in, &out), SN_OK);
                assert_string_not_equal(out.request_id, replaced[i]);
                assert_int_equal(strlen(out.request_id), 36);
        }
}

static void a_long_problem_fits_into_the_trailers(void **state)
{
        (void)state;
        Echo__FailRequest in = ECHO__FAIL_REQUEST__INIT;
        Echo__Echoed out = ECHO__ECHOED__INIT;
        char detail[8000];
        for (size_t i = 0; i + 4 < sizeof(detail); i += 3) {
                memcpy(detail + i, "…", 4);
        }
        in.status = SN_NOT_FOUND;
        in.detail = detail;
        assert_int_equal(sonet_grpc_channel_call(channel, c, &echo_methods[ECHO_FAIL], NULL, &in.base, &out.base),
                         SN_NOT_FOUND);
        assert_true(strlen(c->problem.detail) > 900);
        assert_memory_equal(c->problem.detail, detail, strlen(c->problem.detail));
}

/* ---- Rate limits ---- */

static void limit_rates(bool on, int64_t read, int64_t write)
{
        struct settings settings = {.rate_limits = on, .rate_read = read, .rate_write = write, .rate_auth = 1};
        assert_int_equal(rpc_limit_rates(&settings), SN_OK);
}

static void who_calls_from_outside_is_limited_and_told_so(void **state)
{
        (void)state;
        struct raw_answer answer;
        struct raw_request request = {.port = port(), .path = PATH("Echo"), .bytes = ""};
        limit_rates(true, 2, 2);
        raw_grpc_call(&request, &answer);
        assert_int_equal(answer.status, SN_OK);
        assert_string_equal(answer.rate_limit, "\"read\";r=1;t=30");
        assert_string_equal(answer.rate_limit_policy, "\"read\";q=2;w=60");
        request.path = PATH("Fail"); /* a failure costs as much */
        request.bytes = "\x08\x05";
        request.len = 2;
        raw_grpc_call(&request, &answer);
        assert_int_equal(answer.status, SN_NOT_FOUND);
        assert_true(answer.has_problem);
        assert_string_equal(answer.rate_limit_policy, "\"read\";q=2;w=60");
        (void)echo_runs();
        raw_grpc_call(&request, &answer);
        assert_int_equal(answer.status, SN_RESOURCE_EXHAUSTED);
        assert_true(answer.has_problem);
        assert_true(strncmp(answer.rate_limit, "\"read\";r=0;t=", 13) == 0);
        assert_int_equal(echo_runs(), 0);
}

static void a_refusal_says_how_long_to_wait(void **state)
{
        (void)state;
        Echo__EchoRequest in = ECHO__ECHO_REQUEST__INIT;
        Echo__Echoed out;
        limit_rates(true, 1, 1);
        assert_int_equal(call(&echo_methods[ECHO_ECHO], NULL, &in, &out), SN_OK);
        assert_int_equal(call(&echo_methods[ECHO_ECHO], NULL, &in, &out), SN_RESOURCE_EXHAUSTED);
        assert_string_equal(c->problem.code, "rate_limited");
        assert_in_range(c->problem.retry_after_s, 40, 60);
}

static void members_are_limited_by_themselves_wherever_they_call_from(void **state)
{
        (void)state;
        Echo__EchoRequest in = ECHO__ECHO_REQUEST__INIT;
        Echo__Echoed out;
        limit_rates(true, 1, 1);
        assert_int_equal(call(&echo_methods[ECHO_ECHO], NULL, &in, &out), SN_OK);
        echo_log_in(c, "read write");
        assert_int_equal(call(&echo_methods[ECHO_ECHO], NULL, &in, &out), SN_OK);
        assert_int_equal(call(&echo_methods[ECHO_WRITE], NULL, &in, &out), SN_OK);
        assert_int_equal(call(&echo_methods[ECHO_ECHO], NULL, &in, &out), SN_RESOURCE_EXHAUSTED);
        assert_int_equal(call(&echo_methods[ECHO_WRITE], NULL, &in, &out), SN_RESOURCE_EXHAUSTED);
}

static void our_own_services_are_not_counted_again(void **state)
{
        (void)state;
        Echo__EchoRequest in = ECHO__ECHO_REQUEST__INIT;
        Echo__Echoed out;
        limit_rates(true, 1, 1);
        const char *token = service_token_for(c->arena, "gateway", "echo");
        for (int i = 0; i < 5; i++) {
                assert_int_equal(call(&echo_methods[ECHO_ECHO], token, &in, &out), SN_OK);
                assert_int_equal(call(&echo_methods[ECHO_INSIDE], token, &in, &out), SN_OK);
        }
        struct raw_answer answer;
        raw_grpc_call(&(struct raw_request){.port = port(), .path = PATH("Echo"), .bytes = ""}, &answer);
        assert_int_equal(answer.status, SN_OK); /* the address still has its own */
}

static void limits_that_are_off_are_not_mentioned(void **state)
{
        (void)state;
        struct raw_answer answer;
        limit_rates(false, 1, 1);
        for (int i = 0; i < 3; i++) {
                raw_grpc_call(&(struct raw_request){.port = port(), .path = PATH("Echo"), .bytes = ""}, &answer);
                assert_int_equal(answer.status, SN_OK);
                assert_string_equal(answer.rate_limit, "");
        }
}

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

static void health_says_what_readiness_says(void **state)
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

/* ---- Load and time ---- */

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

static void a_full_lane_answers_at_once_and_the_others_finish(void **state)
{
        (void)state;
        enum { N = 6 };
        static struct waiter waiters[N];
        echo_gate_close();
        waiter_start(&waiters[0], 20);
        echo_gate_await(1); /* the only worker is taken */
        for (int i = 1; i < N; i++) {
                waiter_start(&waiters[i], 20);
        }
        /* One place in the queue, ours or theirs: sooner or later the next one is turned away, while the worker is
         * still inside. */
        int refused = 0, served = 0;
        Echo__EchoRequest in = ECHO__ECHO_REQUEST__INIT;
        Echo__Echoed out;
        int64_t give_up_us = clock_monotonic_us() + 20000000;
        do {
                assert_true(clock_monotonic_us() < give_up_us);
                c->deadline_us = clock_monotonic_us() + 200000;
        } while (call(&echo_methods[ECHO_ECHO], NULL, &in, &out) != SN_RESOURCE_EXHAUSTED);
        assert_string_equal(c->problem.code, "queue_full");
        assert_int_equal(c->problem.retry_after_s, 1);
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
        do { /* until one surely waits behind it */
                c->deadline_us = clock_monotonic_us() + 100000;
                status = call(&echo_methods[ECHO_ECHO], NULL, &in, &out);
        } while (status == SN_DEADLINE_EXCEEDED && metric_value(waiting) == 0);
        clock_set_source(&(struct clock_source){.monotonic_us = a_minute_later});
        echo_gate_open();
        assert_int_equal(waiter_join(&w), SN_OK);
        do { /* the only worker takes them in order: when this one is served, the other was passed over */
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

static void a_stop_finishes_what_runs(void **state)
{
        (void)state;
        static struct waiter w;
        pthread_t stopper;
        int grace_ms = 10000;
        echo_gate_close();
        waiter_start(&w, 20);
        echo_gate_await(1);
        assert_int_equal(pthread_create(&stopper, NULL, stop_main, &grace_ms), 0);
        /* While it stops nothing new is taken. */
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

static void past_the_grace_clients_are_told_and_handlers_still_end(void **state)
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
        assert_int_equal(waiter_join(&w), SN_UNAVAILABLE); /* comes back while the handler is inside */
        assert_int_equal(echo_runs(), 0);
        echo_gate_open();
        pthread_join(stopper, NULL);
        assert_int_equal(echo_runs(), 1);
}

static void clients_that_give_up_leave_nothing_behind(void **state)
{
        (void)state;
        echo_gate_close();
        for (int i = 0; i < 4; i++) { /* two are inside, two wait for a worker */
                assert_int_equal(raw_status(&(struct raw_request){.path = PATH("Wait"), .bytes = "", .timeout_ms = 50}),
                                 SN_DEADLINE_EXCEEDED);
        }
        echo_gate_open();
        assert_int_equal(raw_status(&(struct raw_request){.path = PATH("Echo"), .bytes = ""}), SN_OK);
        sonet_grpc_server_stop(server, 60000); /* returns when all of them have ended */
        server = NULL;
}

static void a_service_that_is_down_is_unavailable_and_found_again(void **state)
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

static void addresses_in_clear_are_loopback_only(void **state)
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

/* ---- Certificates ---- */

static char *read_file(const char *folder, const char *name)
{
        char path[256], *text = test_calloc(1, 20000);
        snprintf(path, sizeof(path), "%s/%s", folder, name);
        FILE *f = fopen(path, "r");
        assert_non_null(f);
        assert_true(fread(text, 1, 19999, f) > 0);
        fclose(f);
        return text;
}

/* A CA of the installation, a server, a service and a stranger signed by it, and another CA. */
static const char make_certificates[] =
    "cd \"$0\" && exec >openssl.log 2>&1 && "
    "key() { openssl ecparam -name prime256v1 -genkey -noout -out $1.key; } && "
    "ca() { key $1 && openssl req -x509 -new -key $1.key -days 2 -subj /CN=$1 -out $1.pem; } && "
    "leaf() { key $1 && openssl req -new -key $1.key -subj /CN=$1 -out $1.csr && "
    "printf 'subjectAltName=%s\\n' \"$2\" >$1.ext && "
    "openssl x509 -req -in $1.csr -CA ca.pem -CAkey ca.key -CAcreateserial -days 2 -extfile $1.ext -out $1.pem; } && "
    "ca ca && ca other && leaf server IP:127.0.0.1 && leaf gateway DNS:gateway && leaf stranger DNS:stranger.example";

static void run_script(const char *script, const char *folder)
{
        char command[256];
        setenv("SCRIPT", script, 1);
        snprintf(command, sizeof(command), "sh -c \"$SCRIPT\" %s", folder);
        assert_int_equal(system(command), 0);
}

static sn_status call_with(const struct grpc_tls *tls, const struct rpc_method *m, Echo__Echoed *out)
{
        struct sonet_grpc_channel *clear = channel;
        Echo__EchoRequest in = ECHO__ECHO_REQUEST__INIT;
        channel = open_channel("grpcs", tls);
        sn_status status = call(m, NULL, &in, out);
        sonet_grpc_channel_close(channel);
        channel = clear;
        return status;
}

static void a_certificate_can_name_the_calling_service(void **state)
{
        (void)state;
        char folder[] = "/tmp/sonet-tls.XXXXXX", remove[64];
        assert_non_null(mkdtemp(folder));
        run_script(make_certificates, folder);
        char *ca = read_file(folder, "ca.pem"), *other = read_file(folder, "other.pem");
        char *server_pem = read_file(folder, "server.pem"), *server_key = read_file(folder, "server.key");
        char *gateway_pem = read_file(folder, "gateway.pem"), *gateway_key = read_file(folder, "gateway.key");
        char *stranger_pem = read_file(folder, "stranger.pem"), *stranger_key = read_file(folder, "stranger.key");
        snprintf(remove, sizeof(remove), "rm -r %s", folder);
        assert_int_equal(system(remove), 0);

        struct sonet_grpc_server *clear = server;
        assert_int_equal(start_on("127.0.0.1:0", &(struct grpc_tls){server_pem, "no key", ca}), SN_FAILED_PRECONDITION);
        assert_int_equal(start_on("127.0.0.1:0", &(struct grpc_tls){server_pem, server_key, ca}), SN_OK);
        Echo__Echoed out;
        const struct rpc_method *inside = &echo_methods[ECHO_INSIDE], *echo = &echo_methods[ECHO_ECHO];
        assert_int_equal(call_with(&(struct grpc_tls){.ca_pem = ca}, echo, &out), SN_OK);
        assert_string_equal(out.caller, "");
        assert_int_equal(call_with(&(struct grpc_tls){.ca_pem = ca}, inside, &out), SN_UNIMPLEMENTED);
        assert_int_equal(call_with(&(struct grpc_tls){stranger_pem, stranger_key, ca}, inside, &out), SN_UNIMPLEMENTED);
        assert_int_equal(call_with(&(struct grpc_tls){gateway_pem, gateway_key, ca}, inside, &out), SN_OK);
        assert_string_equal(out.caller, "gateway");
        assert_int_equal(call_with(&(struct grpc_tls){.ca_pem = other}, echo, &out), SN_UNAVAILABLE);
        sonet_grpc_server_stop(server, 1000);
        server = clear;
        char *texts[] = {ca, other, server_pem, server_key, gateway_pem, gateway_key, stranger_pem, stranger_key};
        for (size_t i = 0; i < sizeof(texts) / sizeof(texts[0]); i++) {
                test_free(texts[i]);
        }
}

#define TEST(fn)        cmocka_unit_test_setup_teardown(fn, setup, teardown)
#define NARROW_TEST(fn) cmocka_unit_test_setup_teardown(fn, setup_narrow, teardown)

int main(void)
{
        const struct CMUnitTest tests[] = {
            TEST(an_unknown_method_is_refused),
            TEST(an_internal_method_looks_like_an_unknown_one),
            TEST(malformed_bytes_are_refused),
            TEST(a_call_without_a_message_is_refused),
            TEST(a_message_over_4_mib_is_refused),
            TEST(a_message_of_almost_4_mib_arrives),
            TEST(a_message_in_gzip_is_taken),
            TEST(gzip_that_would_unpack_to_over_4_mib_is_refused),
            TEST(encodings_that_are_not_known_are_refused),
            TEST(credentials_and_keys_that_are_given_twice_are_refused),
            TEST(a_time_out_that_is_malformed_is_refused),
            TEST(the_message_names_the_field),
            TEST(an_answer_that_is_too_large_is_a_clean_failure),
            TEST(tokens_that_are_not_ours_are_refused),
            TEST(a_token_of_the_right_key_that_is_over_is_refused),
            TEST(the_outside_cannot_claim_an_address),
            TEST(strange_metadata_does_no_harm),
            TEST(a_flood_of_metadata_is_refused),
            TEST(request_ids_are_harmless_in_logs),
            TEST(a_long_problem_fits_into_the_trailers),
            TEST(who_calls_from_outside_is_limited_and_told_so),
            TEST(a_refusal_says_how_long_to_wait),
            TEST(members_are_limited_by_themselves_wherever_they_call_from),
            TEST(our_own_services_are_not_counted_again),
            TEST(limits_that_are_off_are_not_mentioned),
            TEST(health_says_what_readiness_says),
            NARROW_TEST(a_full_lane_answers_at_once_and_the_others_finish),
            NARROW_TEST(a_request_that_waited_too_long_is_not_started),
            TEST(a_stop_finishes_what_runs),
            TEST(past_the_grace_clients_are_told_and_handlers_still_end),
            TEST(clients_that_give_up_leave_nothing_behind),
            TEST(a_service_that_is_down_is_unavailable_and_found_again),
            TEST(addresses_in_clear_are_loopback_only),
            TEST(a_certificate_can_name_the_calling_service),
        };
        log_setup("test", LOG_LEVEL_ERROR, LOG_FORMAT_TEXT);
        echo_setup();
        return cmocka_run_group_tests(tests, NULL, NULL);
}
