/* Valid descriptions of providers, values in their templates, and parsing responses. */
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <setjmp.h>
#include <cmocka.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>
#include "push/adapter_parts.h"

#define GOOD                                                                                                           \
        "\"name\": \"sms\", \"url\": \"https://sms.example/send?to={to}\", \"type\": \"application/json\", \"body\": " \
        "\"{\\\"say\\\": \\\"{text}\\\"}\""

/* The error for a file with this text, or "". */
static void problem_of(const char *text, char *out, size_t size)
{
        char path[] = "/tmp/sonet-adapter-XXXXXX";
        int fd = mkstemp(path);
        CLEANUP(buf_free) struct buf error;

        assert_true(fd >= 0);
        assert_int_equal(write(fd, text, strlen(text)), strlen(text));
        close(fd);
        buf_init(&error, 1000);
        struct push_adapter *adapter = push_adapter_read(path, &error);

        assert_int_equal(adapter == NULL, error.len > 0);
        (void)snprintf(out, size, "%s", error.len > 0 ? error.data : "");
        if (error.len > 0) { /* this file, or the one it refers to */
                assert_true(strncmp(out, path, strlen(path)) == 0 || strstr(text, "/nowhere") != NULL);
        }
        push_adapter_free(adapter);
        unlink(path);
}

static void errors_in_a_description_are_reported_on_reading(void **state)
{
        static const struct {
                const char *text, *says;
        } rows[] = {
            {"{" GOOD "}", ""},
            {"", "line 1"},
            {"{\n\"name\": \"sms\",,", "line 2"},
            {"[]", "a JSON object"},
            {"{" GOOD ", \"name\": \"again\"}", "invalid at line 1"},
            {"{\"shape\": \"pigeon\", \"name\": \"sms\"}", "unknown \"shape\""},
            {"{\"shape\": \"twilio\", \"name\": \"sms\"}", "lacks \"account\""},
            {"{\"shape\": \"apns\", \"name\": \"a\", \"values\": {\"app\": \"x\"}}", "{bearer}"},
            {"{\"shape\": \"fcm\", \"name\": \"f\", \"service_account\": \"/nowhere\"}", "service account"},
            {"{\"name\": \"A b\", \"url\": \"https://x\", \"type\": \"t\", \"body\": \"\"}", "\"name\""},
            {"{\"name\": \"a\", \"type\": \"t\", \"body\": \"\"}", "\"url\""},
            {"{\"name\": \"a\", \"url\": \"http://sms.example/\", \"type\": \"t\", \"body\": \"\"}", "https"},
            {"{" GOOD ", \"values\": []}", "\"values\""},
            {"{" GOOD ", \"headers\": {\"X-Key\": \"{secret}\"}}", "{secret}"},
            {"{" GOOD ", \"headers\": [\"X\"]}", "\"headers\""},
            {"{" GOOD ", \"headers\": {\"X Y\": \"z\"}}", "header"},
            {"{" GOOD ", \"headers\": {\"X\": \"{s}\"}, \"values\": {\"s\": \"a\\r\\nb\"}}", "not allowed there"},
            {"{" GOOD ", \"answers\": [{\"status\": 400, \"means\": \"lost\"}]}", "\"means\""},
            {"{" GOOD ", \"answers\": [{\"field\": \"code\", \"means\": \"gone\"}]}", "\"is\""},
            {"{\"name\": \"a\", \"url\": \"https://x\", \"type\": \"application/json\", \"body\": \"{text}\\\"\"}",
             "not valid JSON once"},
        };

        (void)state;
        for (size_t i = 0; i < sizeof(rows) / sizeof(rows[0]); i++) {
                char said[1000];

                problem_of(rows[i].text, said, sizeof(said));
                if (strstr(said, rows[i].says) == NULL || (said[0] != '\0') != (rows[i].says[0] != '\0')) {
                        fail_msg("%s\ngave: %s\ninstead of: %s", rows[i].text, said, rows[i].says);
                }
        }
}

static void the_error_names_a_missing_file(void **state)
{
        CLEANUP(buf_free) struct buf error;

        (void)state;
        buf_init(&error, 1000);
        assert_null(push_adapter_read("/nowhere/sms.json", &error));
        assert_non_null(strstr(error.data, "/nowhere/sms.json"));
        assert_non_null(strstr(error.data, "No such file"));
}

static const char *value_of(const void *context, struct str name)
{
        return str_equal_c(name, "v") ? context : NULL;
}

static void values_are_escaped_for_their_context(void **state)
{
        static const struct {
                enum adapter_place place;
                const char *source, *value, *written; /* NULL: rejected */
        } rows[] = {
            {PLACE_URL, "/x/{v}?a={v}", "../ä&b", "/x/..%2F%C3%A4%26b?a=..%2F%C3%A4%26b"},
            {PLACE_FORM, "To={v}&n=1", "+49 1&n=2", "To=%2B49%201%26n%3D2&n=1"},
            {PLACE_JSON, "{\"a\": \"{v}\"}", "\"},\n\\", "{\"a\": \"\\\"},\\n\\\\\"}"},
            {PLACE_HEADER, "Bearer {v}", "a\r\nX: y", NULL},
            {PLACE_HEADER, "Bearer {v}", "ab", "Bearer ab"},
            {PLACE_PLAIN, "{v}", "{v}", "{v}"},               /* inserted values are not expanded again */
            {PLACE_PLAIN, "{ {} {V} {v", "x", "{ {} {V} {v"}, /* braces that name no variable */
            {PLACE_PLAIN, "{w}", "x", NULL},
        };

        (void)state;
        for (size_t i = 0; i < sizeof(rows) / sizeof(rows[0]); i++) {
                CLEANUP(buf_free) struct buf out;

                buf_init(&out, 1000);
                assert_int_equal(adapter_write(&out, rows[i].source, rows[i].place, value_of, rows[i].value),
                                 rows[i].written != NULL);
                if (rows[i].written != NULL) {
                        assert_string_equal(out.data, rows[i].written);
                }
        }
}

static void response_fields_are_found_by_their_path(void **state)
{
        static const struct {
                const char *path, *text; /* NULL: no such field */
        } rows[] = {{"code", "21610"},
                    {"error.details.*.errorCode", "UNREGISTERED"},
                    {"ok", "false"},
                    {"error", NULL},
                    {"error.nothing", NULL},
                    {"code.deeper", NULL},
                    {"*", NULL},
                    {"", NULL},
                    {"long", NULL},
                    {"error.details.*.*", NULL}};
        json_t *answer =
            json_loads("{\"code\": 21610, \"ok\": false, \"long\": \"0123456789012345678901234567890123456789\","
                       " \"error\": {\"details\": [{\"x\": 1}, 7, {\"errorCode\": \"UNREGISTERED\"}]}}",
                       0, NULL);
        char out[32];

        (void)state;
        assert_non_null(answer);
        for (size_t i = 0; i < sizeof(rows) / sizeof(rows[0]); i++) {
                assert_int_equal(adapter_field(answer, rows[i].path, out, sizeof(out)), rows[i].text != NULL);
                if (rows[i].text != NULL) {
                        assert_string_equal(out, rows[i].text);
                }
        }
        assert_false(adapter_field(NULL, "code", out, sizeof(out))); /* a response that is not JSON */
        json_decref(answer);
}

int main(void)
{
        const struct CMUnitTest tests[] = {
            cmocka_unit_test(errors_in_a_description_are_reported_on_reading),
            cmocka_unit_test(the_error_names_a_missing_file),
            cmocka_unit_test(values_are_escaped_for_their_context),
            cmocka_unit_test(response_fields_are_found_by_their_path),
        };

        return cmocka_run_group_tests_name("push adapter", tests, NULL, NULL);
}
