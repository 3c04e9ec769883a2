/* gRPC: callers, their metadata, and rate limits. */
#include "rpc/testdata/wire.h"

#include <string.h>
#include <time.h>

#include "auth/service_token.h"
#include "base/clock.h"
#include "base/log.h"
#include "rpc/rate_limit.h"

static void foreign_tokens_are_rejected(void **state)
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

static void an_expired_token_with_the_right_key_is_rejected(void **state)
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
        /* A method that requires no token rejects an expired one, too. */
        assert_int_equal(call(&echo_methods[ECHO_ECHO], NULL, &in, &out), SN_UNAUTHENTICATED);
        assert_int_equal(echo_runs(), 0);
}

static void external_callers_cannot_claim_an_address(void **state)
{
        (void)state;
        Echo__EchoRequest in = ECHO__ECHO_REQUEST__INIT;
        Echo__Echoed out;
        c->client_address = "203.0.113.7";
        assert_int_equal(call(&echo_methods[ECHO_ECHO], NULL, &in, &out), SN_OK);
        assert_string_equal(out.client_address, "127.0.0.1");
        assert_string_equal(out.caller, "");
}

static void unusual_metadata_does_no_harm(void **state)
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

static void a_flood_of_metadata_is_rejected(void **state)
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

static void external_callers_are_limited_and_informed(void **state)
{
        (void)state;
        struct raw_answer answer;
        struct raw_request request = {.port = port(), .path = PATH("Echo"), .bytes = ""};
        limit_rates(true, 2, 2);
        raw_grpc_call(&request, &answer);
        assert_int_equal(answer.status, SN_OK);
        assert_string_equal(answer.rate_limit, "\"read\";r=1;t=30");
        assert_string_equal(answer.rate_limit_policy, "\"read\";q=2;w=60");
        request.path = PATH("Fail"); /* a failure counts the same */
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

static void a_rejection_says_how_long_to_wait(void **state)
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

static void members_are_limited_individually_wherever_they_call_from(void **state)
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

static void limits_that_are_off_are_not_sent(void **state)
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

int main(void)
{
        const struct CMUnitTest tests[] = {
            TEST(foreign_tokens_are_rejected),
            TEST(an_expired_token_with_the_right_key_is_rejected),
            TEST(external_callers_cannot_claim_an_address),
            TEST(unusual_metadata_does_no_harm),
            TEST(a_flood_of_metadata_is_rejected),
            TEST(request_ids_are_harmless_in_logs),
            TEST(a_long_problem_fits_into_the_trailers),
            TEST(external_callers_are_limited_and_informed),
            TEST(a_rejection_says_how_long_to_wait),
            TEST(members_are_limited_individually_wherever_they_call_from),
            TEST(our_own_services_are_not_counted_again),
            TEST(limits_that_are_off_are_not_sent),
        };
        log_setup("test", LOG_LEVEL_ERROR, LOG_FORMAT_TEXT);
        echo_setup();
        return cmocka_run_group_tests(tests, NULL, NULL);
}
