/* Calls, problems, and the registry of contracts. */
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <setjmp.h>
#include <cmocka.h>
#include <string.h>

#include "base/call.h"
#include "base/clock.h"
#include "base/contract.h"

static void a_failure_carries_a_stable_code_and_its_own_text(void **state)
{
        CLEANUP(rpc_call_free_p) struct rpc_call *c = rpc_call_new_background(NULL, 1000);
        char field[] = "items[3]";
        assert_int_equal(rpc_fail(c, SN_INVALID_ARGUMENT, field, "at most %d", 5), SN_INVALID_ARGUMENT);
        memset(field, 'x', sizeof(field) - 1);
        assert_string_equal(c->problem.code, "validation_failed");
        assert_string_equal(c->problem.field, "items[3]");
        assert_string_equal(c->problem.detail, "at most 5");
        assert_int_equal(rpc_fail_code(c, SN_ALREADY_EXISTS, "username_taken", NULL, "taken"), SN_ALREADY_EXISTS);
        assert_string_equal(c->problem.code, "username_taken");
        assert_null(c->problem.field);
        assert_int_equal(rpc_fail(c, SN_UNAVAILABLE, NULL, "away"), SN_UNAVAILABLE);
        assert_true(c->problem.retry_after_s > 0);
}

static void a_well_formed_trace_from_the_client_is_adopted(void **state)
{
        CLEANUP(rpc_call_free_p) struct rpc_call *c = rpc_call_new_background(NULL, 1000);
        static const char id[] = "4bf92f3577b34da6a3ce929d0e0e4736";
        static const char *const good[] = {"00-4bf92f3577b34da6a3ce929d0e0e4736-00f067aa0ba902b7-01",
                                           "cc-4bf92f3577b34da6a3ce929d0e0e4736-00f067aa0ba902b7-01-what-may-come"};
        static const char *const bad[] = {"",
                                          "--------",
                                          "00-4bf92f3577b34da6a3ce929d0e0e4736",
                                          "00-4bf92f3577b34da6a3ce929d0e0e4736-00f067aa0ba902b7",
                                          "00-4bf92f3577b34da6a3ce929d0e0e4736-00f067aa0ba902b7-01-more",
                                          "ff-4bf92f3577b34da6a3ce929d0e0e4736-00f067aa0ba902b7-01",
                                          "00-4BF92F3577B34DA6A3CE929D0E0E4736-00f067aa0ba902b7-01",
                                          "00-4bf92f3577b34da6a3ce929d0e0e473-00f067aa0ba902b7-01",
                                          "00-00000000000000000000000000000000-00f067aa0ba902b7-01",
                                          "00-4bf92f3577b34da6a3ce929d0e0e4736-0000000000000000-01"};
        for (size_t i = 0; i < sizeof(good) / sizeof(good[0]); i++) {
                assert_string_equal(rpc_trace_id(c->arena, str_of(good[i])), id);
        }
        for (size_t i = 0; i < sizeof(bad) / sizeof(bad[0]); i++) {
                const char *made = rpc_trace_id(c->arena, str_of(bad[i]));
                assert_int_equal(strlen(made), 32);
                assert_string_not_equal(made, id);
                assert_int_equal(strspn(made, "0123456789abcdef"), 32);
                assert_string_not_equal(made, rpc_trace_id(c->arena, str_of(bad[i])));
        }
}

static void a_valid_request_id_from_the_client_is_adopted(void **state)
{
        CLEANUP(rpc_call_free_p) struct rpc_call *c = rpc_call_new_background(NULL, 1000);
        static const char longest[] = "0123456789abcdefghijklmnopqrstuvwxyzABCDEFGHIJKLMNOPQRSTUVWXYZ._";
        static const char *const bad[] = {"",
                                          "a b",
                                          "a\"b",
                                          "a\nb",
                                          "\xc3\xa9",
                                          "a,b",
                                          "0123456789abcdefghijklmnopqrstuvwxyzABCDEFGHIJKLMNOPQRSTUVWXYZ._-"};
        assert_string_equal(rpc_request_id(c->arena, STR("a-1")), "a-1");
        assert_string_equal(rpc_request_id(c->arena, str_of(longest)), longest);
        for (size_t i = 0; i < sizeof(bad) / sizeof(bad[0]); i++) {
                assert_true(uuid_valid(rpc_request_id(c->arena, str_of(bad[i]))));
        }
        assert_true(uuid_valid(rpc_request_id(c->arena, STR("a\0b"))));
}

static int64_t now_us = 5000000;

static int64_t test_clock(void)
{
        return now_us;
}

static void a_call_expires_at_its_deadline_and_never_has_negative_time(void **state)
{
        clock_set_source(&(struct clock_source){.monotonic_us = test_clock});
        CLEANUP(rpc_call_free_p) struct rpc_call *c = rpc_call_new_background(NULL, 250);
        assert_int_equal(rpc_call_left_ms(c), 250);
        assert_false(rpc_call_expired(c));
        now_us += 250000;
        assert_true(rpc_call_expired(c));
        now_us += 250000;
        assert_int_equal(rpc_call_left_ms(c), 0);
        clock_set_source(NULL);
        assert_int_equal(strlen(c->trace_id), 32);
        assert_true(uuid_valid(c->request_id));
}

static void statuses_have_their_grpc_names(void **state)
{
        assert_string_equal(sn_status_name(SN_OK), "OK");
        assert_string_equal(sn_status_name(SN_UNAUTHENTICATED), "UNAUTHENTICATED");
        assert_string_equal(sn_status_name((sn_status)55), "UNKNOWN");
        assert_string_equal(sn_status_name((sn_status)-1), "UNKNOWN");
}

/* Properties of every row of base/status.def.h. */
static void every_failure_has_a_code_a_sentence_and_an_http_status(void **state)
{
        for (sn_status status = SN_OK + 1; status < SN_STATUS_COUNT; status++) {
                const struct sn_status_row *row = sn_status_row(status);
                assert_in_range(row->http, 400, 599);
                assert_true(strlen(row->code) > 0 &&
                            strspn(row->code, "abcdefghijklmnopqrstuvwxyz_") == strlen(row->code));
                assert_true(strlen(row->detail) > 10);
                assert_int_equal(sn_status_http(status, NULL), row->http);
                assert_int_equal(sn_status_http(status, row->code), row->http);
        }
        assert_int_equal(sn_status_http(SN_INVALID_ARGUMENT, "cursor_invalid"), 400);
        assert_int_equal(sn_status_http(SN_NOT_FOUND, "cursor_invalid"), 404); /* a code of another status */
        assert_int_equal(sn_status_http((sn_status)55, NULL), 500);
}

static void a_contract_registered_twice_is_stored_once(void **state)
{
        static const struct rpc_service service = {.name = "one"};
        const struct rpc_service *const *services;
        contract_register(&service);
        contract_register(&service);
        assert_int_equal(contract_services(&services), 1);
        assert_ptr_equal(services[0], &service);
}

static void enum_values_are_found_by_number_with_gaps_and_without(void **state)
{
        static const struct rpc_enum_value values[] = {{.number = -1}, {.number = 0}, {.number = 1}, {.number = 5}};
        const struct rpc_enum dense = {values, 3, true, ""}, gaps = {values, 4, false, ""};
        for (int number = -3; number <= 7; number++) {
                const struct rpc_enum_value *in_dense = contract_enum_value(&dense, number);
                const struct rpc_enum_value *in_gaps = contract_enum_value(&gaps, number);
                assert_ptr_equal(in_dense, number >= -1 && number <= 1 ? &values[number + 1] : NULL);
                assert_ptr_equal(in_gaps, number == 5 ? &values[3] : in_dense);
        }
        assert_null(contract_enum_value(&dense, INT32_MAX));
        assert_null(contract_enum_value(&dense, INT32_MIN));
}

int main(void)
{
        const struct CMUnitTest tests[] = {
            cmocka_unit_test(a_failure_carries_a_stable_code_and_its_own_text),
            cmocka_unit_test(a_call_expires_at_its_deadline_and_never_has_negative_time),
            cmocka_unit_test(a_valid_request_id_from_the_client_is_adopted),
            cmocka_unit_test(a_well_formed_trace_from_the_client_is_adopted),
            cmocka_unit_test(statuses_have_their_grpc_names),
            cmocka_unit_test(every_failure_has_a_code_a_sentence_and_an_http_status),
            cmocka_unit_test(a_contract_registered_twice_is_stored_once),
            cmocka_unit_test(enum_values_are_found_by_number_with_gaps_and_without),
        };
        return cmocka_run_group_tests(tests, NULL, NULL);
}
