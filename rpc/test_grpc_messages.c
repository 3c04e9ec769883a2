/* gRPC: malicious, oversized and malformed messages and heads. */
#include "rpc/testdata/wire.h"

#include <stdlib.h>
#include <string.h>

#include "base/log.h"
#include "grpc/health/v1/health.rpc.h"

/* ---- Malicious input ---- */

static void an_unknown_method_is_rejected(void **state)
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
        /* The message is not even parsed. */
        assert_int_equal(raw_status(&(struct raw_request){.path = PATH("Inside"), .bytes = "\xff\xff", .len = 2}),
                         unknown.status);
        assert_int_equal(echo_runs(), 0);
}

static void malformed_bytes_are_rejected(void **state)
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
             4},                     /* truncated */
            {"\x0a\x02\xc3\x28", 4}, /* not UTF-8 */
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

static void a_call_without_a_message_is_rejected(void **state)
{
        (void)state;
        assert_int_equal(raw_status(&(struct raw_request){.path = PATH("Echo")}), SN_INVALID_ARGUMENT);
        assert_int_equal(echo_runs(), 0);
}

static void a_message_over_4_mib_is_rejected(void **state)
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

static void a_gzip_message_is_accepted(void **state)
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

static void gzip_that_expands_to_over_4_mib_is_rejected(void **state)
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

static void unknown_encodings_are_rejected(void **state)
{
        (void)state;
        assert_int_equal(raw_status(&(struct raw_request){
                             .path = PATH("Echo"), .bytes = "", .metadata = {"grpc-encoding", "snappy"}}),
                         SN_UNIMPLEMENTED);
        assert_int_equal(echo_runs(), 0);
}

static void repeated_credentials_and_keys_are_rejected(void **state)
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

static void a_malformed_timeout_is_rejected(void **state)
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

static void an_oversized_response_fails_cleanly(void **state)
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

int main(void)
{
        const struct CMUnitTest tests[] = {
            TEST(an_unknown_method_is_rejected),       TEST(an_internal_method_looks_like_an_unknown_one),
            TEST(malformed_bytes_are_rejected),        TEST(a_call_without_a_message_is_rejected),
            TEST(a_message_over_4_mib_is_rejected),    TEST(a_message_of_almost_4_mib_arrives),
            TEST(a_gzip_message_is_accepted),          TEST(gzip_that_expands_to_over_4_mib_is_rejected),
            TEST(unknown_encodings_are_rejected),      TEST(repeated_credentials_and_keys_are_rejected),
            TEST(a_malformed_timeout_is_rejected),     TEST(the_message_names_the_field),
            TEST(an_oversized_response_fails_cleanly),
        };
        log_setup("test", LOG_LEVEL_ERROR, LOG_FORMAT_TEXT);
        echo_setup();
        return cmocka_run_group_tests(tests, NULL, NULL);
}
