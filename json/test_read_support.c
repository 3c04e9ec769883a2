/* Shared by the tests of reading JSON. */
#include "json/test_read_support.h"

#include <stdlib.h>
#include <string.h>

struct rpc_call *c;
JsonTest__Kinds m;

int read_test_setup(void **state)
{
        c = rpc_call_new_background(NULL, 60000);
        json_test__kinds__init(&m);
        return 0;
}

int read_test_teardown(void **state)
{
        rpc_call_free(c);
        return 0;
}

sn_status read_text(const char *text, size_t len, const char *const *skip, ProtobufCMessage *out)
{
        char *exact = malloc(len == 0 ? 1 : len);
        memcpy(exact, text, len);
        sn_status status = json_read_message(c, (struct str){exact, len}, skip, type_of(out), out);
        free(exact);
        return status;
}

void assert_read(const char *text)
{
        json_test__kinds__init(&m);
        sn_status status = read_text(text, strlen(text), NULL, &m.base);
        if (status != SN_OK) {
                fail_msg("%s: %s: %s", text, c->problem.field, c->problem.detail);
        }
}

void assert_problem(sn_status status, const char *code, const char *field, const char *text)
{
        if (status == SN_OK) {
                fail_msg("taken: %s", text);
        }
        assert_int_equal(status, SN_INVALID_ARGUMENT);
        assert_string_equal(c->problem.code, code);
        assert_string_equal(c->problem.field == NULL ? "(none)" : c->problem.field, field == NULL ? "(none)" : field);
        assert_true(strlen(c->problem.detail) > 10);
}

void assert_invalid(const char *text, const char *field)
{
        json_test__kinds__init(&m);
        assert_problem(read_text(text, strlen(text), NULL, &m.base), "validation_failed", field, text);
}

void assert_malformed_bytes(const char *text, size_t len)
{
        json_test__kinds__init(&m);
        assert_problem(read_text(text, len, NULL, &m.base), "malformed_json", NULL, text);
        assert_non_null(strstr(c->problem.detail, "line "));
}
