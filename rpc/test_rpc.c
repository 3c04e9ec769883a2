/* A call behaves the same wherever the service runs: every test runs in process, in process with forced encoding, and
 * over gRPC. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <cmocka.h>
#include <stdlib.h>
#include <string.h>

#include "base/clock.h"
#include "base/log.h"
#include "base/no_wait.h"
#include "base/metrics.h"
#include "rpc/grpc.h"
#include "rpc/lanes.h"
#include "rpc/testdata/echo.h"

/* ---- The three transports ---- */

struct fixture {
        struct rpc_lanes *lanes;
        struct sonet_grpc_server *server;
        struct rpc_call *c;
};

static void begin(void **state)
{
        struct fixture *fixture = calloc(1, sizeof(*fixture));
        rpc_register_local(&echo_service);
        fixture->c = echo_call_new();
        (void)echo_runs();
        *state = fixture;
}

static int in_process(void **state)
{
        begin(state);
        return 0;
}

static int encoded(void **state)
{
        begin(state);
        rpc_force_encoding(true);
        return 0;
}

static int over_grpc(void **state)
{
        begin(state);
        struct fixture *fixture = *state;
        struct buf text;
        buf_init(&text, 1000);
        fixture->lanes = rpc_lanes_new(2, 1, 16);
        assert_int_equal(
            sonet_grpc_server_start("127.0.0.1:0", NULL, fixture->lanes, 100, NULL, NULL, &fixture->server, &text),
            SN_OK);
        rpc_close(); /* from now on the service is remote */
        buf_reset(&text);
        buf_printf(&text, "grpc://127.0.0.1:%d", sonet_grpc_server_port(fixture->server));
        assert_int_equal(rpc_register_remote(&echo_contract, text.data, &text), SN_OK);
        buf_free(&text);
        return 0;
}

static int end(void **state)
{
        struct fixture *fixture = *state;
        rpc_close();
        sonet_grpc_server_stop(fixture->server, 5000);
        rpc_lanes_free(fixture->lanes);
        rpc_force_encoding(false);
        rpc_call_free(fixture->c);
        free(fixture);
        return 0;
}

static struct rpc_call *call_of(void **state)
{
        return ((struct fixture *)*state)->c;
}

static sn_status request(struct rpc_call *c, enum echo_method method, const Echo__EchoRequest *in, Echo__Echoed *out)
{
        echo__echoed__init(out);
        return rpc_request(c, &echo_methods[method], &in->base, &out->base);
}

static sn_status ask_to_fail(struct rpc_call *c, const Echo__FailRequest *in, Echo__Echoed *out)
{
        echo__echoed__init(out);
        return rpc_request(c, &echo_methods[ECHO_FAIL], &in->base, &out->base);
}

/* ---- Messages ---- */

static void an_answer_arrives_whole(void **state)
{
        struct rpc_call *c = call_of(state);
        Echo__EchoRequest in = ECHO__ECHO_REQUEST__INIT;
        Echo__Echoed out;
        int64_t numbers[] = {1, 1000, 0};
        in.text = (char *)"grüß dich 👋";
        in.numbers = numbers;
        in.n_numbers = 3;
        assert_int_equal(request(c, ECHO_ECHO, &in, &out), SN_OK);
        assert_string_equal(out.text, in.text);
        assert_int_equal(out.n_numbers, 3);
        assert_memory_equal(out.numbers, numbers, sizeof(numbers));
        assert_string_equal(out.id, "");
        assert_int_equal(out.runs, 1);
}

static void ids_reach_the_handler_in_lowercase(void **state)
{
        struct rpc_call *c = call_of(state);
        Echo__EchoRequest in = ECHO__ECHO_REQUEST__INIT;
        Echo__Echoed out;
        in.id = arena_strdup(c->arena, "01890A5D-AC96-774B-BCCE-B302099A8057");
        assert_int_equal(request(c, ECHO_ECHO, &in, &out), SN_OK);
        assert_string_equal(out.id, "01890a5d-ac96-774b-bcce-b302099a8057");
}

static void what_breaks_a_rule_never_reaches_the_handler(void **state)
{
        struct rpc_call *c = call_of(state);
        Echo__EchoRequest in = ECHO__ECHO_REQUEST__INIT;
        Echo__Echoed out;
        int64_t numbers[] = {1, 1001};
        in.numbers = numbers;
        in.n_numbers = 2;
        assert_int_equal(request(c, ECHO_ECHO, &in, &out), SN_INVALID_ARGUMENT);
        assert_string_equal(c->problem.code, "validation_failed");
        assert_string_equal(c->problem.field, "numbers[1]");
        assert_int_equal(echo_runs(), 0);
}

/* ---- Identity ---- */

static void nobody_is_nobody(void **state)
{
        struct rpc_call *c = call_of(state);
        Echo__EchoRequest in = ECHO__ECHO_REQUEST__INIT;
        Echo__Echoed out;
        assert_int_equal(request(c, ECHO_ECHO, &in, &out), SN_OK);
        assert_string_equal(out.actor, "");
        assert_string_equal(out.scope, "");
        assert_string_equal(out.caller, "gateway");
}

static void the_member_and_their_whereabouts_arrive(void **state)
{
        struct rpc_call *c = call_of(state);
        Echo__EchoRequest in = ECHO__ECHO_REQUEST__INIT;
        Echo__Echoed out;
        echo_log_in(c, "read write");
        c->client_address = "203.0.113.7";
        c->user_agent = "Browser – für alle";
        assert_int_equal(request(c, ECHO_ECHO, &in, &out), SN_OK);
        assert_string_equal(out.actor, ECHO_MEMBER);
        assert_string_equal(out.scope, "read write");
        assert_string_equal(out.client_address, "203.0.113.7");
        assert_string_equal(out.user_agent, "Browser – für alle");
        assert_string_equal(out.trace_id, c->trace_id);
        assert_string_equal(out.request_id, c->request_id);
}

static void a_scope_needs_a_token_that_has_it(void **state)
{
        struct rpc_call *c = call_of(state);
        Echo__EchoRequest in = ECHO__ECHO_REQUEST__INIT;
        Echo__Echoed out;
        assert_int_equal(request(c, ECHO_WRITE, &in, &out), SN_UNAUTHENTICATED);
        assert_string_equal(c->problem.code, "token_missing");
        echo_log_in(c, "read writer rewrite");
        assert_int_equal(request(c, ECHO_WRITE, &in, &out), SN_PERMISSION_DENIED);
        assert_string_equal(c->problem.code, "scope_missing");
        assert_int_equal(echo_runs(), 0);
        echo_log_in(c, "read write");
        assert_int_equal(request(c, ECHO_WRITE, &in, &out), SN_OK);
        assert_int_equal(echo_runs(), 1);
}

static void sensitive_methods_need_a_proof_of_five_minutes_ago(void **state)
{
        struct rpc_call *c = call_of(state);
        Echo__EchoRequest in = ECHO__ECHO_REQUEST__INIT;
        Echo__Echoed out;
        assert_int_equal(request(c, ECHO_GUARDED, &in, &out), SN_UNAUTHENTICATED);
        echo_log_in_ago(c, "read", 0);
        assert_int_equal(request(c, ECHO_GUARDED, &in, &out), SN_PERMISSION_DENIED);
        assert_string_equal(c->problem.code, "scope_missing");
        echo_log_in_ago(c, "read write", RPC_STEP_UP_S + 1);
        assert_int_equal(request(c, ECHO_GUARDED, &in, &out), SN_PERMISSION_DENIED);
        assert_string_equal(c->problem.code, "step_up_required");
        assert_int_equal(request(c, ECHO_WRITE, &in, &out), SN_OK); /* methods that require none still work */
        assert_int_equal(echo_runs(), 1);
        echo_log_in_ago(c, "read write", RPC_STEP_UP_S - 60);
        assert_int_equal(request(c, ECHO_GUARDED, &in, &out), SN_OK);
        assert_int_equal(echo_runs(), 1);
}

static void internal_methods_do_not_exist_for_the_outside(void **state)
{
        struct rpc_call *c = call_of(state);
        Echo__EchoRequest in = ECHO__ECHO_REQUEST__INIT;
        Echo__Echoed out;
        echo_log_in(c, "read write");
        assert_int_equal(request(c, ECHO_INSIDE, &in, &out), SN_UNIMPLEMENTED);
        assert_string_equal(c->problem.code, "method_unknown");
        assert_int_equal(echo_runs(), 0);
}

static void internal_methods_see_the_calling_service_and_no_member(void **state)
{
        struct rpc_call *c = call_of(state);
        Echo__EchoRequest in = ECHO__ECHO_REQUEST__INIT;
        Echo__Echoed out = ECHO__ECHOED__INIT;
        echo_log_in(c, "read write");
        assert_int_equal(echo_inside(c, &in, &out), SN_OK);
        assert_string_equal(out.caller, "gateway");
        assert_string_equal(out.actor, "");
        assert_string_equal(out.scope, "");
        assert_int_equal(echo_write(c, &in, &out), SN_OK);
        assert_string_equal(out.actor, ECHO_MEMBER);
}

static void a_call_that_is_not_in_the_graph_is_refused(void **state)
{
        struct rpc_call *c = call_of(state);
        Echo__EchoRequest in = ECHO__ECHO_REQUEST__INIT;
        Echo__Echoed out = ECHO__ECHOED__INIT;
        c->service = &echo_service;
        assert_int_equal(echo_inside(c, &in, &out), SN_INTERNAL);
        assert_string_equal(c->problem.code, "call_undeclared");
        c->service = NULL;
        assert_int_equal(echo_inside(c, &in, &out), SN_INTERNAL);
        assert_int_equal(echo_runs(), 0);
}

static void an_attempt_that_has_to_wait_asks_nobody_any_more(void **state)
{
        Echo__EchoRequest in = ECHO__ECHO_REQUEST__INIT;
        no_wait_begin();
        assert_true(no_wait_refuses());
        assert_int_equal(echo_inside(call_of(state), &in, &(Echo__Echoed){0}), SN_UNAVAILABLE);
        assert_true(no_wait_end());
        assert_int_equal(echo_runs(), 0);
}
/* ---- Failures ---- */

static void a_problem_arrives_with_all_its_parts(void **state)
{
        struct rpc_call *c = call_of(state);
        Echo__FailRequest in = ECHO__FAIL_REQUEST__INIT;
        Echo__Echoed out;
        in.status = SN_FAILED_PRECONDITION;
        in.code = (char *)"not_today";
        in.field = (char *)"day";
        in.detail = (char *)"today is a holiday – come back tomorrow";
        in.retry_after_s = 86;
        assert_int_equal(ask_to_fail(c, &in, &out), SN_FAILED_PRECONDITION);
        assert_int_equal(c->problem.status, SN_FAILED_PRECONDITION);
        assert_string_equal(c->problem.code, "not_today");
        assert_string_equal(c->problem.field, "day");
        assert_string_equal(c->problem.detail, in.detail);
        assert_int_equal(c->problem.retry_after_s, 86);
}

static void every_status_arrives_as_itself_and_with_a_reason(void **state)
{
        struct rpc_call *c = call_of(state);
        Echo__Echoed out;
        for (int status = SN_OK; status < SN_STATUS_COUNT; status++) {
                Echo__FailRequest in = ECHO__FAIL_REQUEST__INIT;
                in.status = status;
                in.silent = true;
                c->problem = (struct rpc_problem){0};
                assert_int_equal(ask_to_fail(c, &in, &out), status);
                if (status != SN_OK) {
                        assert_non_null(c->problem.code);
                        assert_non_null(c->problem.detail);
                        assert_int_equal(c->problem.status, status);
                }
        }
}

static void a_serialization_failure_is_run_again_from_a_clean_start(void **state)
{
        struct rpc_call *c = call_of(state);
        Echo__FailRequest in = ECHO__FAIL_REQUEST__INIT;
        Echo__Echoed out;
        in.aborts = 3;
        assert_int_equal(ask_to_fail(c, &in, &out), SN_OK);
        assert_int_equal(out.runs, 4);
        assert_string_equal(out.text, "");
        assert_null(c->problem.detail);
}

static void a_serialization_failure_that_stays_is_given_up(void **state)
{
        struct rpc_call *c = call_of(state);
        Echo__FailRequest in = ECHO__FAIL_REQUEST__INIT;
        Echo__Echoed out;
        in.aborts = 100;
        assert_int_equal(ask_to_fail(c, &in, &out), SN_UNAVAILABLE);
        assert_string_equal(c->problem.code, "contention");
        assert_int_equal(echo_runs(), 6);
}

/* ---- Deadlines ---- */

static void a_method_cannot_outlive_its_deadline(void **state)
{
        struct rpc_call *c = call_of(state);
        Echo__EchoRequest in = ECHO__ECHO_REQUEST__INIT;
        Echo__Echoed out;
        assert_int_equal(request(c, ECHO_DAWDLE, &in, &out), SN_DEADLINE_EXCEEDED);
        assert_string_equal(c->problem.code, "deadline_exceeded");
        assert_true(clock_monotonic_us() < c->deadline_us); /* the method's, not the caller's */
}

static void nothing_is_started_after_the_deadline(void **state)
{
        struct rpc_call *c = call_of(state);
        Echo__EchoRequest in = ECHO__ECHO_REQUEST__INIT;
        Echo__Echoed out;
        c->deadline_us = clock_monotonic_us() - 1;
        assert_int_equal(request(c, ECHO_ECHO, &in, &out), SN_DEADLINE_EXCEEDED);
        assert_int_equal(echo_runs(), 0);
}

/* ---- Idempotency ---- */

static void a_key_reaches_the_methods_that_take_one(void **state)
{
        struct rpc_call *c = call_of(state);
        Echo__EchoRequest in = ECHO__ECHO_REQUEST__INIT;
        Echo__Echoed first, second, other;
        echo_log_in(c, "write");
        c->idempotency_key = "a-key";
        in.text = (char *)"one";
        assert_int_equal(request(c, ECHO_WRITE, &in, &first), SN_OK);
        assert_int_equal(request(c, ECHO_WRITE, &in, &second), SN_OK);
        in.text = (char *)"two";
        assert_int_equal(request(c, ECHO_WRITE, &in, &other), SN_OK);
        assert_string_equal(first.idempotency_key, "a-key");
        assert_int_equal(first.body_hash.len, 32);
        assert_memory_equal(first.body_hash.data, second.body_hash.data, 32);
        assert_memory_not_equal(first.body_hash.data, other.body_hash.data, 32);
        assert_int_equal(request(c, ECHO_ECHO, &in, &other), SN_OK);
        assert_string_equal(other.idempotency_key, "");
        assert_int_equal(echo_write(c, &in, &other), SN_OK); /* a call by a service has no key */
        assert_string_equal(other.idempotency_key, "");
}

static void a_key_that_cannot_be_kept_is_refused(void **state)
{
        struct rpc_call *c = call_of(state);
        Echo__EchoRequest in = ECHO__ECHO_REQUEST__INIT;
        Echo__Echoed out;
        char too_long[257];
        memset(too_long, 'k', 256);
        too_long[256] = '\0';
        const char *keys[] = {"", "two words", "schlüssel", "line\nbreak", too_long};
        echo_log_in(c, "write");
        for (size_t i = 0; i < sizeof(keys) / sizeof(keys[0]); i++) {
                c->idempotency_key = keys[i];
                assert_int_equal(request(c, ECHO_WRITE, &in, &out), SN_INVALID_ARGUMENT);
                assert_string_equal(c->problem.code, "idempotency_key_invalid");
        }
        assert_int_equal(echo_runs(), 0);
}

static void a_stored_answer_is_given_again(void **state)
{
        struct rpc_call *c = call_of(state);
        Echo__EchoRequest in = ECHO__ECHO_REQUEST__INIT;
        Echo__Echoed out;
        echo_log_in(c, "write");
        c->idempotency_key = "a-key";
        in.text = (char *)"again";
        assert_int_equal(request(c, ECHO_WRITE, &in, &out), SN_OK);
        assert_string_equal(out.text, "stored");
        assert_int_equal(echo_runs(), 0);
}

/* ---- Metrics ---- */

/* An oversized response is an error, but not after its change has been committed. */
static void what_was_committed_is_answered_as_success(void **state)
{
        struct rpc_call *c = call_of(state);
        Echo__EchoRequest in = ECHO__ECHO_REQUEST__INIT;
        Echo__Echoed out;
        echo_log_in(c, "write");
        (void)arena_alloc(c->arena, 20 << 20); /* of 32 */
        in.answer_bytes = 20000000;
        in.text = (char *)"no commit";
        assert_int_equal(request(c, ECHO_WRITE, &in, &out), SN_RESOURCE_EXHAUSTED);
        assert_string_equal(c->problem.code, "too_large");
        in.text = (char *)"commit";
        assert_int_equal(request(c, ECHO_WRITE, &in, &out), SN_OK);
}

static char *metrics_page(struct arena *arena)
{
        struct buf out;
        buf_init(&out, 1 << 20);
        metrics_render(&out);
        char *page = arena_strndup(arena, out.data, out.len);
        buf_free(&out);
        return page;
}

static void calls_are_counted_by_method_and_code(void **state)
{
        struct rpc_call *c = call_of(state);
        int64_t before = echo_methods[ECHO_FAIL].stats->answers[SN_NOT_FOUND];
        Echo__FailRequest in = ECHO__FAIL_REQUEST__INIT;
        Echo__Echoed out;
        in.status = SN_NOT_FOUND;
        in.silent = true;
        assert_int_equal(ask_to_fail(c, &in, &out), SN_NOT_FOUND);
        assert_int_equal(echo_methods[ECHO_FAIL].stats->answers[SN_NOT_FOUND], before + 1);
        if (rpc_local_service("echo") == NULL) {
                return; /* counted where the service runs */
        }
        const char *page = metrics_page(c->arena);
        assert_non_null(strstr(page, "# TYPE sonet_rpc_total counter\n"));
        assert_non_null(strstr(page, arena_printf(c->arena,
                                                  "\nsonet_rpc_total{method=\"sonet.echo.v1.EchoService/Fail\","
                                                  "code=\"NOT_FOUND\"} %lld\n",
                                                  (long long)before + 1)));
        assert_non_null(
            strstr(page, "\nsonet_rpc_seconds_bucket{method=\"sonet.echo.v1.EchoService/Fail\",le=\"0.0001\"} "));
        assert_null(strstr(page, "code=\"DATA_LOSS\"} 0\n"));
}

static void a_method_that_has_its_credentials_in_the_message_ignores_tokens(void **state)
{
        static const struct rpc_method logging_in = {.access = RPC_PUBLIC, .rate = RPC_RATE_AUTH},
                                       reading = {.access = RPC_PUBLIC, .rate = RPC_RATE_READ},
                                       changing = {.access = RPC_SCOPE, .scope = "write", .rate = RPC_RATE_AUTH};
        struct rpc_call *c = call_of(state);
        const struct rpc_sender with_token = {
            .peer = "192.0.2.1", .certificate = "", .audience = "user", .authorization = STR("Bearer ended")};
        const struct rpc_sender forged = {
            .peer = "192.0.2.1", .certificate = "", .audience = "user", .service_token = STR("forged")};
        c->method = &logging_in;
        assert_int_equal(rpc_authenticate(c, &with_token), SN_OK);
        assert_string_equal(c->actor, "");
        assert_string_equal(c->bearer, "");
        assert_int_equal(rpc_authenticate(c, &forged), SN_UNAUTHENTICATED);
        c->method = &reading;
        assert_int_equal(rpc_authenticate(c, &with_token), SN_UNAUTHENTICATED);
        c->method = &changing;
        assert_int_equal(rpc_authenticate(c, &with_token), SN_UNAUTHENTICATED);
}

#define EVERYWHERE(fn)                                                                                                 \
        {#fn " (in process)", fn, in_process, end, NULL}, {#fn " (encoded)", fn, encoded, end, NULL},                  \
        {                                                                                                              \
#fn " (over gRPC)", fn, over_grpc, end, NULL                                                           \
        }

int main(void)
{
        const struct CMUnitTest tests[] = {
            EVERYWHERE(an_answer_arrives_whole),
            EVERYWHERE(ids_reach_the_handler_in_lowercase),
            EVERYWHERE(what_breaks_a_rule_never_reaches_the_handler),
            EVERYWHERE(nobody_is_nobody),
            EVERYWHERE(the_member_and_their_whereabouts_arrive),
            EVERYWHERE(a_scope_needs_a_token_that_has_it),
            EVERYWHERE(sensitive_methods_need_a_proof_of_five_minutes_ago),
            {"a method that has its credentials in the message ignores tokens",
             a_method_that_has_its_credentials_in_the_message_ignores_tokens, in_process, end, NULL},
            EVERYWHERE(internal_methods_do_not_exist_for_the_outside),
            EVERYWHERE(internal_methods_see_the_calling_service_and_no_member),
            EVERYWHERE(a_call_that_is_not_in_the_graph_is_refused),
            EVERYWHERE(an_attempt_that_has_to_wait_asks_nobody_any_more),
            EVERYWHERE(a_problem_arrives_with_all_its_parts),
            EVERYWHERE(every_status_arrives_as_itself_and_with_a_reason),
            EVERYWHERE(a_serialization_failure_is_run_again_from_a_clean_start),
            EVERYWHERE(a_serialization_failure_that_stays_is_given_up),
            EVERYWHERE(a_method_cannot_outlive_its_deadline),
            EVERYWHERE(nothing_is_started_after_the_deadline),
            EVERYWHERE(a_key_reaches_the_methods_that_take_one),
            EVERYWHERE(a_key_that_cannot_be_kept_is_refused),
            EVERYWHERE(a_stored_answer_is_given_again),
            {"what was committed is answered as success", what_was_committed_is_answered_as_success, in_process, end,
             NULL},
            EVERYWHERE(calls_are_counted_by_method_and_code),
        };
        log_setup("test", LOG_LEVEL_ERROR, LOG_FORMAT_TEXT);
        echo_setup();
        return cmocka_run_group_tests(tests, NULL, NULL);
}
