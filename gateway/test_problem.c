/* Problems as sent to clients. */
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <setjmp.h>
#include <cmocka.h>
#include <jansson.h>
#include <string.h>
#include <strings.h>

#include "gateway/problem.h"

static struct arena *arena;
static struct http_response response;
static json_t *document;

static int setup(void **state)
{
        arena = arena_new(1 << 20);
        response = (struct http_response){0};
        document = NULL;
        return 0;
}

static int teardown(void **state)
{
        json_decref(document);
        buf_free(&response.body);
        arena_free(arena);
        return 0;
}

static void write_problem(const struct rpc_problem *problem)
{
        json_decref(document);
        response.n_headers = 0;
        problem_write(problem, "req-1", arena, &response);
        document = json_loadb(response.body.data, response.body.len, JSON_REJECT_DUPLICATES, NULL);
        assert_non_null(document);
}

static const char *header(const char *name)
{
        for (size_t i = 0; i < response.n_headers; i++) {
                if (strcasecmp(response.headers[i].name, name) == 0) {
                        return response.headers[i].value;
                }
        }
        return "";
}

static const char *member(const char *name)
{
        const char *text = json_string_value(json_object_get(document, name));
        return text == NULL ? "" : text;
}

static void every_status_maps_to_http(void **state)
{
        static const struct {
                sn_status status;
                const char *code;
                int http;
        } rows[] = {
            {SN_INVALID_ARGUMENT, "validation_failed", 422},
            {SN_INVALID_ARGUMENT, "malformed_json", 400},
            {SN_INVALID_ARGUMENT, "malformed_request", 400},
            {SN_INVALID_ARGUMENT, "cursor_invalid", 400},
            {SN_UNAUTHENTICATED, "token_expired", 401},
            {SN_PERMISSION_DENIED, "scope_missing", 403},
            {SN_NOT_FOUND, "not_found", 404},
            {SN_ALREADY_EXISTS, "username_taken", 409},
            {SN_ABORTED, "aborted", 409},
            {SN_FAILED_PRECONDITION, "failed_precondition", 409},
            {SN_RESOURCE_EXHAUSTED, "rate_limited", 429},
            {SN_RESOURCE_EXHAUSTED, "queue_full", 503},
            {SN_DEADLINE_EXCEEDED, "deadline_exceeded", 504},
            {SN_UNAVAILABLE, "unavailable", 503},
            {SN_UNIMPLEMENTED, "unimplemented", 501},
            {SN_INTERNAL, "internal", 500},
            {SN_UNKNOWN, "internal", 500},
            {SN_DATA_LOSS, "internal", 500},
        };
        for (size_t i = 0; i < sizeof(rows) / sizeof(rows[0]); i++) {
                struct rpc_problem p = {.status = rows[i].status, .code = rows[i].code, .detail = "so it is"};
                write_problem(&p);
                assert_int_equal(response.status, rows[i].http);
                assert_int_equal(json_integer_value(json_object_get(document, "status")), rows[i].http);
                assert_string_equal(member("code"), rows[i].code);
                assert_string_equal(header("Content-Type"), "application/problem+json");
                assert_true(strlen(member("title")) > 0);
        }
}

static void a_problem_has_field_detail_and_request(void **state)
{
        struct rpc_problem p = {.status = SN_INVALID_ARGUMENT,
                                .code = "validation_failed",
                                .field = "items[3].name",
                                .detail = "a \"quote\"\n"};
        write_problem(&p);
        assert_string_equal(member("type"), "about:blank");
        assert_string_equal(member("field"), "items[3].name");
        assert_string_equal(member("detail"), "a \"quote\"\n");
        assert_non_null(strstr(member("instance"), "req-1"));
        p.field = NULL;
        write_problem(&p);
        assert_null(json_object_get(document, "field"));
}

static void internal_errors_are_not_revealed(void **state)
{
        struct rpc_problem p = {
            .status = SN_INTERNAL, .code = "pg_23505", .detail = "duplicate key value violates unique constraint"};
        write_problem(&p);
        assert_int_equal(response.status, 500);
        assert_string_equal(member("code"), "internal");
        assert_null(strstr(response.body.data, "constraint"));
        assert_null(strstr(response.body.data, "pg_"));
}

static void retryable_errors_have_retry_after(void **state)
{
        struct rpc_problem p = {
            .status = SN_RESOURCE_EXHAUSTED, .code = "rate_limited", .detail = "slow down", .retry_after_s = 17};
        write_problem(&p);
        assert_string_equal(header("Retry-After"), "17");
        p = (struct rpc_problem){.status = SN_UNAVAILABLE, .detail = "away"};
        write_problem(&p);
        assert_true(strlen(header("Retry-After")) > 0);
        p = (struct rpc_problem){.status = SN_NOT_FOUND, .detail = "gone"};
        write_problem(&p);
        assert_string_equal(header("Retry-After"), "");
        p = (struct rpc_problem){
            .status = SN_RESOURCE_EXHAUSTED, .code = "quota_exceeded", .detail = "full", .retry_after_s = 1};
        write_problem(&p);
        assert_string_equal(header("Retry-After"), "");
}

static void a_401_has_the_challenge_and_the_error_of_the_token(void **state)
{
        struct rpc_problem p = {.status = SN_UNAUTHENTICATED, .code = "token_expired", .detail = "expired"};
        write_problem(&p);
        assert_non_null(strstr(header("WWW-Authenticate"), "Bearer"));
        assert_non_null(strstr(header("WWW-Authenticate"), "error=\"invalid_token\""));
        p.code = "token_missing";
        write_problem(&p);
        assert_non_null(strstr(header("WWW-Authenticate"), "Bearer"));
        assert_null(strstr(header("WWW-Authenticate"), "error="));
        p.status = SN_PERMISSION_DENIED;
        write_problem(&p);
        assert_string_equal(header("WWW-Authenticate"), "");
}

#define TEST(f) cmocka_unit_test_setup_teardown(f, setup, teardown)

int main(void)
{
        const struct CMUnitTest tests[] = {
            TEST(every_status_maps_to_http),
            TEST(a_problem_has_field_detail_and_request),
            TEST(internal_errors_are_not_revealed),
            TEST(retryable_errors_have_retry_after),
            TEST(a_401_has_the_challenge_and_the_error_of_the_token),
        };
        return cmocka_run_group_tests_name("gateway problem", tests, NULL, NULL);
}
