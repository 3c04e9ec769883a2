/* Messages to JSON. jansson parses the output where that is a better check than comparing text. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <cmocka.h>
#include <jansson.h>

#include "json/json.h"
#include "json/test_kinds.h"

enum { MAX_BYTES = 1 << 20 };

static char *written(const void *message)
{
        struct buf b;
        buf_init(&b, MAX_BYTES);
        json_write_message(&b, type_of(message), message);
        assert_false(b.overflow);
        assert_int_equal(strlen(b.data), b.len);
        return b.data;
}

static void assert_written(const void *message, const char *expected)
{
        char *text = written(message);
        assert_string_equal(text, expected);
        free(text);
}

/* One field of the written message, as parsed by jansson. */
static json_t *field_of(const void *message, const char *name)
{
        char *text = written(message);
        json_error_t error;
        json_t *root = json_loads(text, JSON_REJECT_DUPLICATES, &error);
        if (root == NULL) {
                fail_msg("%s: %s", error.text, text);
        }
        json_t *value = json_incref(json_object_get(root, name));
        assert_non_null(value);
        json_decref(root);
        free(text);
        return value;
}

static char *quoted(const char *text, size_t len)
{
        struct buf b;
        buf_init(&b, MAX_BYTES);
        json_write_string(&b, text, len);
        assert_false(b.overflow);
        return b.data;
}

static void assert_quoted(const char *text, size_t len, const char *expected)
{
        char *result = quoted(text, len);
        assert_string_equal(result, expected);
        free(result);
}

#define ASSERT_QUOTED(literal, expected) assert_quoted((literal), sizeof(literal) - 1, (expected))

static void an_empty_message_has_the_empty_value_of_each_field(void **state)
{
        JsonTest__Kinds m = JSON_TEST__KINDS__INIT;
        assert_written(&m, "{\"i32\":0,\"s32\":0,\"u32\":0,\"i64\":0,\"u64\":0,\"single\":0,\"real\":0,\"flag\":false,"
                           "\"mood\":null,"
                           "\"colour\":\"none\",\"text\":\"\",\"blob\":\"\",\"inner\":null,\"at\":null,\"i32s\":[],"
                           "\"i64s\":[],\"flags\":[],"
                           "\"moods\":[],\"texts\":[],\"blobs\":[],\"inners\":[],\"times\":[],\"reals\":[],\"maybe\":"
                           "null,\"number\":null,"
                           "\"object\":null,\"yes\":null}");
}

static void rules_turn_empty_values_into_null_or_nothing(void **state)
{
        JsonTest__Rules m = JSON_TEST__RULES__INIT;
        assert_written(&m, "{\"shown\":\"\",\"nulled\":null,\"shown_inner\":null,\"nulled_list\":null,\"shown_one\":"
                           "null,\"nulled_one\":null,"
                           "\"nulled_number\":null,\"nulled_mood\":null,\"needed\":\"\"}");
}

static void rules_do_not_affect_values(void **state)
{
        char *words[] = {"a"};
        JsonTest__Inner inner = JSON_TEST__INNER__INIT;
        Google__Protobuf__Timestamp at = GOOGLE__PROTOBUF__TIMESTAMP__INIT;
        JsonTest__Rules m = JSON_TEST__RULES__INIT;
        m.nulled = "n";
        m.omitted = "o";
        m.omitted_inner = &inner;
        m.nulled_list = m.omitted_list = words;
        m.n_nulled_list = m.n_omitted_list = 1;
        m.nulled_number = -1;
        m.omitted_flag = true;
        m.nulled_mood = JSON_TEST__MOOD__MOOD_GLAD;
        m.omitted_time = &at;
        assert_written(&m, "{\"shown\":\"\",\"nulled\":\"n\",\"omitted\":\"o\",\"shown_inner\":null,"
                           "\"omitted_inner\":{\"name\":\"\",\"size\":0,\"deeper\":null},\"nulled_list\":[\"a\"],"
                           "\"omitted_list\":[\"a\"],"
                           "\"shown_one\":null,\"nulled_one\":null,\"nulled_number\":-1,\"omitted_flag\":true,\"nulled_"
                           "mood\":\"glad\","
                           "\"needed\":\"\",\"omitted_time\":\"1970-01-01T00:00:00.000Z\"}");
}

static void a_given_oneof_member_is_written_even_if_empty(void **state)
{
        JsonTest__Rules m = JSON_TEST__RULES__INIT;
        m.b_case = JSON_TEST__RULES__B_NULLED_ONE;
        m.nulled_one = "";
        m.c_case = JSON_TEST__RULES__C_OMITTED_ONE;
        m.omitted_one = "";
        json_t *nulled = field_of(&m, "nulled_one"), *omitted = field_of(&m, "omitted_one");
        assert_string_equal(json_string_value(nulled), "");
        assert_string_equal(json_string_value(omitted), "");
        json_decref(nulled);
        json_decref(omitted);
}

static void only_the_chosen_member_of_a_oneof_has_the_value(void **state)
{
        JsonTest__Kinds m = JSON_TEST__KINDS__INIT;
        m.choice_case = JSON_TEST__KINDS__CHOICE_NUMBER;
        m.number = 7;
        json_t *number = field_of(&m, "number"), *yes = field_of(&m, "yes"), *object = field_of(&m, "object");
        assert_int_equal(json_integer_value(number), 7);
        assert_true(json_is_null(yes));
        assert_true(json_is_null(object));
        json_decref(number);
}

static void a_string_that_is_null_is_written_as_empty(void **state)
{
        JsonTest__Inner m = JSON_TEST__INNER__INIT;
        m.name = NULL;
        assert_written(&m, "{\"name\":\"\",\"size\":0,\"deeper\":null}");
}

static void integers_at_their_limits_are_exact(void **state)
{
        JsonTest__Kinds m = JSON_TEST__KINDS__INIT;
        m.i32 = INT32_MIN;
        m.s32 = INT32_MAX;
        m.u32 = UINT32_MAX;
        m.i64 = INT64_MIN;
        m.u64 = UINT64_MAX;
        char *text = written(&m);
        assert_non_null(
            strstr(text, "{\"i32\":-2147483648,\"s32\":2147483647,\"u32\":4294967295,\"i64\":-9223372036854775808,"
                         "\"u64\":18446744073709551615,"));
        free(text);
}

static void doubles_read_back_as_the_same_number(void **state)
{
        static const double values[] = {0.1,
                                        -0.0,
                                        1.0 / 3,
                                        1e300,
                                        -1e-300,
                                        5e-324,
                                        1.7976931348623157e308,
                                        123456789.123456789,
                                        4503599627370497.5,
                                        1e21,
                                        2.5};
        for (size_t i = 0; i < sizeof(values) / sizeof(values[0]); i++) {
                JsonTest__Kinds m = JSON_TEST__KINDS__INIT;
                m.real = values[i];
                json_t *value = field_of(&m, "real");
                assert_true(json_number_value(value) == values[i]);
                json_decref(value);
        }
}

static void floats_are_short_and_read_back_as_the_same_number(void **state)
{
        JsonTest__Kinds m = JSON_TEST__KINDS__INIT;
        m.single = 0.1f;
        char *text = written(&m);
        assert_non_null(strstr(text, "\"single\":0.1,"));
        free(text);
        m.single = 16777215.0f;
        json_t *value = field_of(&m, "single");
        assert_true((float)json_number_value(value) == 16777215.0f);
        json_decref(value);
}

static void numbers_that_json_does_not_have_are_null(void **state)
{
        JsonTest__Kinds m = JSON_TEST__KINDS__INIT;
        m.real = __builtin_inf();
        m.single = -__builtin_nanf("");
        char *text = written(&m);
        assert_non_null(strstr(text, "\"single\":null,\"real\":null,"));
        free(text);
}

static void enums_are_lower_case_without_their_prefix_and_unknown_ones_are_numbers(void **state)
{
        JsonTest__Mood moods[] = {JSON_TEST__MOOD__MOOD_VERY_SAD, 77, -3, JSON_TEST__MOOD__MOOD_UNSPECIFIED};
        JsonTest__Kinds m = JSON_TEST__KINDS__INIT;
        m.mood = JSON_TEST__MOOD__MOOD_GLAD;
        m.colour = JSON_TEST__COLOUR__PAINT_DARK_RED;
        m.moods = moods;
        m.n_moods = 4;
        char *text = written(&m);
        assert_non_null(strstr(text, "\"mood\":\"glad\",\"colour\":\"dark_red\","));
        assert_non_null(strstr(text, "\"moods\":[\"very_sad\",77,-3,\"unspecified\"]"));
        free(text);
        m.colour = 6;
        json_t *colour = field_of(&m, "colour");
        assert_int_equal(json_integer_value(colour), 6);
        json_decref(colour);
}

static void assert_time(int64_t seconds, int32_t nanos, const char *expected)
{
        Google__Protobuf__Timestamp at = GOOGLE__PROTOBUF__TIMESTAMP__INIT;
        at.seconds = seconds;
        at.nanos = nanos;
        JsonTest__Kinds m = JSON_TEST__KINDS__INIT;
        m.at = &at;
        json_t *value = field_of(&m, "at");
        if (expected == NULL) {
                assert_true(json_is_null(value));
        } else {
                assert_string_equal(json_string_value(value), expected);
        }
        json_decref(value);
}

static void times_are_rfc_3339_with_milliseconds(void **state)
{
        assert_time(0, 0, "1970-01-01T00:00:00.000Z");
        assert_time(1767323045, 678000000, "2026-01-02T03:04:05.678Z");
        assert_time(1767323045, 678999999, "2026-01-02T03:04:05.678Z");
        assert_time(951782400, 1000000, "2000-02-29T00:00:00.001Z");
        assert_time(-1, 999000000, "1969-12-31T23:59:59.999Z");
        assert_time(253402300799, 999999999, "9999-12-31T23:59:59.999Z");
        assert_time(-62135596800, 0, "0001-01-01T00:00:00.000Z");
}

static void times_that_rfc_3339_cannot_express_are_null(void **state)
{
        assert_time(253402300800, 0, NULL);
        assert_time(-62135596801, 0, NULL);
        assert_time(INT64_MAX, 0, NULL);
        assert_time(0, -1, NULL);
        assert_time(0, 1000000000, NULL);
}

static void bytes_are_base64(void **state)
{
        ProtobufCBinaryData blobs[] = {{0, NULL},
                                       {1, (uint8_t *)"f"},
                                       {2, (uint8_t *)"fo"},
                                       {3, (uint8_t *)"foo"},
                                       {4, (uint8_t *)"\xff\xfe\0\xfb"}};
        JsonTest__Kinds m = JSON_TEST__KINDS__INIT;
        m.blobs = blobs;
        m.n_blobs = 5;
        char *text = written(&m);
        assert_non_null(strstr(text, "\"blobs\":[\"\",\"Zg==\",\"Zm8=\",\"Zm9v\",\"//4A+w==\"]"));
        free(text);
}

static void lists_and_messages_nest(void **state)
{
        char *words[] = {"a", "\"", ""};
        JsonTest__Inner2 deeper = JSON_TEST__INNER2__INIT;
        deeper.words = words;
        deeper.n_words = 3;
        JsonTest__Inner inner = JSON_TEST__INNER__INIT, other = JSON_TEST__INNER__INIT;
        inner.name = "n";
        inner.deeper = &deeper;
        JsonTest__Inner *inners[] = {&inner, &other};
        int32_t numbers[] = {1, -2};
        JsonTest__Kinds m = JSON_TEST__KINDS__INIT;
        m.inners = inners;
        m.n_inners = 2;
        m.i32s = numbers;
        m.n_i32s = 2;
        char *text = written(&m);
        assert_non_null(strstr(text, "\"i32s\":[1,-2],"));
        assert_non_null(strstr(text,
                               "\"inners\":[{\"name\":\"n\",\"size\":0,\"deeper\":{\"words\":[\"a\",\"\\\"\",\"\"]}},"
                               "{\"name\":\"\",\"size\":0,\"deeper\":null}]"));
        free(text);
}

static void every_control_character_is_escaped(void **state)
{
        for (int c = 0; c < 0x20; c++) {
                char in = (char)c;
                char *text = quoted(&in, 1);
                json_t *back = json_loads(text, JSON_DECODE_ANY | JSON_ALLOW_NUL, NULL);
                assert_non_null(back);
                assert_int_equal(json_string_length(back), 1);
                assert_int_equal(json_string_value(back)[0], c);
                json_decref(back);
                free(text);
        }
        ASSERT_QUOTED("\b\t\n\f\r\"\\/\x7f\x1f", "\"\\b\\t\\n\\f\\r\\\"\\\\/\x7f\\u001f\"");
}

static void an_escape_is_found_at_every_place_of_a_string(void **state)
{
        static const char *const specials[] = {"\"", "\\", "\x01", "\xff", "\xc3\xa9"};
        static const char *const shown[] = {"\\\"", "\\\\", "\\u0001", "\xef\xbf\xbd", "\xc3\xa9"};
        for (size_t length = 1; length < 40; length++) {
                for (size_t at = 0; at < length; at++) {
                        for (size_t s = 0; s < 5; s++) {
                                char in[128], expected[128];
                                int n = snprintf(in, sizeof(in), "%.*s%s%.*s", (int)at,
                                                 "abcdefghijklmnopqrstuvwxyz0123456789ABCDEFG", specials[s],
                                                 (int)(length - at), "ABCDEFGHIJKLMNOPQRSTUVWXYZ!#$%&'()*+,-./:;<=>");
                                snprintf(expected, sizeof(expected), "\"%.*s%s%.*s\"", (int)at,
                                         "abcdefghijklmnopqrstuvwxyz0123456789ABCDEFG", shown[s], (int)(length - at),
                                         "ABCDEFGHIJKLMNOPQRSTUVWXYZ!#$%&'()*+,-./:;<=>");
                                assert_quoted(in, (size_t)n, expected);
                        }
                }
        }
}

static size_t encode_utf8(uint32_t cp, char out[4])
{
        if (cp < 0x80) {
                out[0] = (char)cp;
                return 1;
        }
        size_t n = cp < 0x800 ? 2 : cp < 0x10000 ? 3 : 4;
        static const uint8_t leads[] = {0, 0, 0xC0, 0xE0, 0xF0};
        for (size_t i = n - 1; i > 0; i--, cp >>= 6) {
                out[i] = (char)(0x80 | (cp & 0x3F));
        }
        out[0] = (char)(leads[n] | cp);
        return n;
}

static void characters_of_every_plane_pass_unchanged(void **state)
{
        for (uint32_t cp = 0x80; cp <= 0x10FFFF; cp += cp < 0x3000 ? 1 : 61) {
                if (cp >= 0xD800 && cp <= 0xDFFF) {
                        continue;
                }
                char in[4], expected[7] = "\"";
                size_t n = encode_utf8(cp, in);
                memcpy(expected + 1, in, n);
                expected[n + 1] = '"';
                assert_quoted(in, n, expected);
        }
        ASSERT_QUOTED("\xED\x9F\xBF\xEE\x80\x80\xEF\xBF\xBF\xF4\x8F\xBF\xBF",
                      "\"\xED\x9F\xBF\xEE\x80\x80\xEF\xBF\xBF\xF4\x8F\xBF\xBF\"");
}

static void invalid_utf8_becomes_replacement_characters(void **state)
{
#define R "\xEF\xBF\xBD"
        ASSERT_QUOTED("a\x80z", "\"a" R "z\"");
        ASSERT_QUOTED("\xC0\xAF", "\"" R R "\""); /* overlong '/' */
        ASSERT_QUOTED("\xC1\x81", "\"" R R "\"");
        ASSERT_QUOTED("\xE0\x80\x80", "\"" R R R "\"");       /* overlong */
        ASSERT_QUOTED("\xED\xA0\x80", "\"" R R R "\"");       /* a surrogate */
        ASSERT_QUOTED("\xF4\x90\x80\x80", "\"" R R R R "\""); /* past U+10FFFF */
        ASSERT_QUOTED("\xF0\x80\x80\x80", "\"" R R R R "\"");
        ASSERT_QUOTED("\xF8\x88\x80\x80\x80", "\"" R R R R R "\"");
        ASSERT_QUOTED("\xFF", "\"" R "\"");
        ASSERT_QUOTED("\xE2\x82", "\"" R "\""); /* truncated: one for the longest valid prefix */
        ASSERT_QUOTED("\xF0\x9F\x98", "\"" R "\"");
        ASSERT_QUOTED("\xE2\x82z", "\"" R "z\"");
        ASSERT_QUOTED("\xC3", "\"" R "\"");
        ASSERT_QUOTED("\xC3\"", "\"" R "\\\"\"");
        ASSERT_QUOTED("12345678\xC3", "\"12345678" R "\"");
#undef R
}

static void any_bytes_yield_a_json_string_that_jansson_reads(void **state)
{
        uint32_t seed = 1;
        for (int round = 0; round < 20000; round++) {
                char in[48];
                seed = seed * 1664525u + 1013904223u;
                size_t n = seed >> 24 & 31;
                for (size_t i = 0; i < n; i++) {
                        seed = seed * 1664525u + 1013904223u;
                        in[i] = (char)(seed >> 16 & (round % 2 ? 0xFF : 0x7F));
                }
                char *text = quoted(in, n);
                json_t *back = json_loads(text, JSON_DECODE_ANY | JSON_ALLOW_NUL, NULL);
                assert_non_null(back);
                if (utf8_valid(in, n)) {
                        assert_int_equal(json_string_length(back), n);
                        assert_memory_equal(json_string_value(back), in, n);
                }
                json_decref(back);
                free(text);
        }
}

static void a_buffer_that_is_too_small_is_marked_and_never_overrun(void **state)
{
        JsonTest__Kinds m = JSON_TEST__KINDS__INIT;
        m.text = "\"\"\"\"\xff\xff some text";
        char *whole = written(&m);
        size_t len = strlen(whole);
        free(whole);
        for (size_t max = 0; max < len + 2; max++) {
                struct buf b;
                buf_init(&b, max);
                json_write_message(&b, type_of(&m.base), &m.base);
                assert_int_equal(b.overflow, max < len);
                assert_true(b.len <= max);
                buf_free(&b);
        }
}

static void writing_appends_to_existing_contents(void **state)
{
        struct buf b;
        buf_init(&b, MAX_BYTES);
        JsonTest__Inner2 m = JSON_TEST__INNER2__INIT;
        buf_append_c(&b, "x");
        json_write_message(&b, type_of(&m.base), &m.base);
        json_write_string(&b, "", 0);
        assert_string_equal(b.data, "x{\"words\":[]}\"\"");
        buf_free(&b);
}

int main(void)
{
        const struct CMUnitTest tests[] = {
            cmocka_unit_test(an_empty_message_has_the_empty_value_of_each_field),
            cmocka_unit_test(rules_turn_empty_values_into_null_or_nothing),
            cmocka_unit_test(rules_do_not_affect_values),
            cmocka_unit_test(a_given_oneof_member_is_written_even_if_empty),
            cmocka_unit_test(only_the_chosen_member_of_a_oneof_has_the_value),
            cmocka_unit_test(a_string_that_is_null_is_written_as_empty),
            cmocka_unit_test(integers_at_their_limits_are_exact),
            cmocka_unit_test(doubles_read_back_as_the_same_number),
            cmocka_unit_test(floats_are_short_and_read_back_as_the_same_number),
            cmocka_unit_test(numbers_that_json_does_not_have_are_null),
            cmocka_unit_test(enums_are_lower_case_without_their_prefix_and_unknown_ones_are_numbers),
            cmocka_unit_test(times_are_rfc_3339_with_milliseconds),
            cmocka_unit_test(times_that_rfc_3339_cannot_express_are_null),
            cmocka_unit_test(bytes_are_base64),
            cmocka_unit_test(lists_and_messages_nest),
            cmocka_unit_test(every_control_character_is_escaped),
            cmocka_unit_test(an_escape_is_found_at_every_place_of_a_string),
            cmocka_unit_test(characters_of_every_plane_pass_unchanged),
            cmocka_unit_test(invalid_utf8_becomes_replacement_characters),
            cmocka_unit_test(any_bytes_yield_a_json_string_that_jansson_reads),
            cmocka_unit_test(a_buffer_that_is_too_small_is_marked_and_never_overrun),
            cmocka_unit_test(writing_appends_to_existing_contents),
        };
        return cmocka_run_group_tests_name("json write", tests, NULL, NULL);
}
