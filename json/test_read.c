/* JSON to messages: accepted bodies, and the error for each invalid one. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <cmocka.h>

#include "json/test_read_support.h"

static void every_kind_of_field_is_read(void **state)
{
        assert_read("{\"i32\":-1,\"s32\":2,\"u32\":3,\"i64\":-4,\"u64\":5,\"single\":0.5,\"real\":-2.5e3,\"flag\":true,"
                    "\"mood\":\"glad\","
                    "\"colour\":\"dark_red\",\"text\":\"h\\u00e9\",\"blob\":\"/"
                    "+8=\",\"inner\":{\"name\":\"n\",\"deeper\":{\"words\":[\"w\"]}},"
                    "\"at\":\"2026-01-02T03:04:05.678Z\"}");
        assert_int_equal(m.i32, -1);
        assert_int_equal(m.s32, 2);
        assert_int_equal(m.u32, 3);
        assert_int_equal(m.i64, -4);
        assert_int_equal(m.u64, 5);
        assert_true(m.single == 0.5f && m.real == -2500);
        assert_true(m.flag);
        assert_int_equal(m.mood, JSON_TEST__MOOD__MOOD_GLAD);
        assert_int_equal(m.colour, JSON_TEST__COLOUR__PAINT_DARK_RED);
        assert_string_equal(m.text, "h\xC3\xA9");
        assert_int_equal(m.blob.len, 2);
        assert_memory_equal(m.blob.data, "\xff\xef", 2);
        assert_string_equal(m.inner->name, "n");
        assert_string_equal(m.inner->deeper->words[0], "w");
        assert_int_equal(m.at->seconds, 1767323045);
        assert_int_equal(m.at->nanos, 678000000);
}

static void lists_of_every_kind_are_read(void **state)
{
        assert_read("{\"i32s\":[1,-2],\"i64s\":[9007199254740993],\"flags\":[true,false],\"moods\":[\"very_sad\","
                    "\"glad\"],\"texts\":[\"\",\"b\"],"
                    "\"blobs\":[\"\",\"Zm9v\"],\"inners\":[{},{\"size\":2}],\"times\":[\"1970-01-01T00:00:01Z\"],"
                    "\"reals\":[1,2.5]}");
        assert_int_equal(m.n_i32s, 2);
        assert_int_equal(m.i32s[1], -2);
        assert_true(m.i64s[0] == 9007199254740993);
        assert_true(m.flags[0] && !m.flags[1]);
        assert_int_equal(m.moods[0], JSON_TEST__MOOD__MOOD_VERY_SAD);
        assert_string_equal(m.texts[1], "b");
        assert_int_equal(m.blobs[1].len, 3);
        assert_int_equal(m.inners[1]->size, 2);
        assert_int_equal(m.times[0]->seconds, 1);
        assert_true(m.reals[0] == 1 && m.reals[1] == 2.5);
        assert_read("{\"i32s\":[],\"texts\":[ ]}");
        assert_int_equal(m.n_i32s, 0);
}

/* Responses have null for absent fields; requests leave them out. */
static void blank_nulls(char *object)
{
        static const char null_member[] = "\":null,";
        for (char *at = strstr(object, null_member); at != NULL; at = strstr(at, null_member)) {
                char *name = at - 1;
                while (*name != '"') {
                        name--;
                }
                memset(name, ' ', (size_t)(at - name) + strlen(null_member));
        }
}

static void written_json_reads_back_as_the_same_message(void **state)
{
        assert_read("{\"i32\":1,\"i64\":-9223372036854775808,\"real\":0.1,\"mood\":\"glad\",\"text\":"
                    "\"\\u0001\\\"\\ud83d\\ude00\",\"blob\":\"AAE=\","
                    "\"inner\":{\"deeper\":{\"words\":[\"a\",\"b\"]}},\"at\":\"2000-02-29T12:00:00.5Z\",\"moods\":["
                    "\"glad\"],\"yes\":true}");
        struct buf first, second;
        buf_init(&first, 10000);
        buf_init(&second, 10000);
        json_write_message(&first, type_of(&m.base), &m.base);
        char *request = strdup(first.data);
        blank_nulls(request);
        assert_read(request);
        json_write_message(&second, type_of(&m.base), &m.base);
        assert_string_equal(first.data, second.data);
        free(request);
        buf_free(&first);
        buf_free(&second);
}

static void malformed_text_is_rejected_with_line_and_column(void **state)
{
        ASSERT_MALFORMED("");
        ASSERT_MALFORMED("  \t");
        ASSERT_MALFORMED("{");
        ASSERT_MALFORMED("{\"text\"");
        ASSERT_MALFORMED("{\"text\":");
        ASSERT_MALFORMED("{\"text\":\"");
        ASSERT_MALFORMED("{\"text\":\"a\\");
        ASSERT_MALFORMED("{\"text\":\"a\"");
        ASSERT_MALFORMED("{\"text\":\"a\",}");
        ASSERT_MALFORMED("{text:\"a\"}");
        ASSERT_MALFORMED("{'text':'a'}");
        ASSERT_MALFORMED("{\"text\":\"a\"} x");
        ASSERT_MALFORMED("{\"text\":\"a\"}{}");
        ASSERT_MALFORMED("{\"text\":\"a\nb\"}");
        ASSERT_MALFORMED("{\"text\":\"\\x41\"}");
        ASSERT_MALFORMED("{\"text\":\"\\u12\"}");
        ASSERT_MALFORMED("{\"i32\":01}");
        ASSERT_MALFORMED("{\"i32\":+1}");
        ASSERT_MALFORMED("{\"i32\":.5}");
        ASSERT_MALFORMED("{\"i32\":1.}");
        ASSERT_MALFORMED("{\"i32\":NaN}");
        ASSERT_MALFORMED("{\"real\":Infinity}");
        ASSERT_MALFORMED("{\"flag\":True}");
        ASSERT_MALFORMED("{\"text\":\"a\"/* no */}");
        ASSERT_MALFORMED("\xEF\xBB\xBF{}");
        ASSERT_MALFORMED("]]]]]]]]]]]]]]]]]]]]]]");
        ASSERT_MALFORMED("\"");
        ASSERT_MALFORMED("{\"text\":\"a\0b\"}");
        ASSERT_MALFORMED("{}\0");
        ASSERT_MALFORMED("\0");
        ASSERT_MALFORMED("{\n  \"i32\": 1,\n  oops\n}");
        assert_non_null(strstr(c->problem.detail, "line 3, column 6"));
}

static void the_body_must_be_an_object(void **state)
{
        assert_invalid("[]", NULL);
        assert_invalid("null", NULL);
        assert_invalid("42", NULL);
        assert_invalid("\"text\"", NULL);
        assert_read("{}");
        assert_read(" \r\n\t{ } \n");
}

static void each_kind_rejects_wrong_types(void **state)
{
        static const struct {
                const char *field, *takes;
        } kinds[] = {{"i32", "i"},  {"u32", "i"}, {"i64", "i"},  {"u64", "i"}, {"single", "ir"}, {"real", "ir"},
                     {"flag", "b"}, {"mood", ""}, {"text", "s"}, {"blob", ""}, {"inner", "o"},   {"at", ""}};
        static const struct {
                char type;
                const char *value;
        } values[] = {{'i', "7"}, {'r', "7.5"}, {'b', "true"}, {'s', "\"not base64!\""}, {'o', "{}"}, {'a', "[]"}};
        for (size_t k = 0; k < sizeof(kinds) / sizeof(kinds[0]); k++) {
                for (size_t v = 0; v < sizeof(values) / sizeof(values[0]); v++) {
                        char text[100];
                        snprintf(text, sizeof(text), "{\"%s\":%s}", kinds[k].field, values[v].value);
                        if (strchr(kinds[k].takes, values[v].type) != NULL) {
                                assert_read(text);
                        } else {
                                assert_invalid(text, kinds[k].field);
                        }
                }
        }
        assert_invalid("{\"i32\":\"7\"}", "i32");
        assert_invalid("{\"flag\":0}", "flag");
        assert_invalid("{\"texts\":\"a\"}", "texts");
        assert_invalid("{\"texts\":{}}", "texts");
        assert_invalid("{\"texts\":[1]}", "texts[0]");
}

static void numbers_at_their_limits_are_accepted_and_beyond_them_rejected(void **state)
{
        assert_read("{\"i32\":2147483647,\"u32\":4294967295,\"i64\":9223372036854775807,\"u64\":9223372036854775807}");
        assert_int_equal(m.i32, INT32_MAX);
        assert_int_equal(m.u32, UINT32_MAX);
        assert_true(m.i64 == INT64_MAX && m.u64 == INT64_MAX);
        assert_read("{\"i32\":-2147483648,\"i64\":-9223372036854775808}");
        assert_true(m.i32 == INT32_MIN && m.i64 == INT64_MIN);
        assert_invalid("{\"i32\":2147483648}", "i32");
        assert_invalid("{\"i32\":-2147483649}", "i32");
        assert_invalid("{\"u32\":4294967296}", "u32");
        assert_invalid("{\"u32\":-1}", "u32");
        assert_invalid("{\"u64\":-1}", "u64");
        assert_invalid("{\"i64\":9223372036854775808}", "i64");
        assert_invalid("{\"i64\":-9223372036854775809}", "i64");
        assert_invalid("{\"inner\":{\"size\":99999999999999999999999999}}", "inner.size");
        assert_invalid("{\"real\":1e400}", "real");
        assert_invalid("{\"reals\":[1,-1e400]}", "reals[1]");
        assert_invalid("{\"single\":1e39}", "single");
        assert_read("{\"real\":1e-400}");
        assert_true(m.real == 0);
}

static void a_whole_number_may_be_written_with_a_fraction_of_zero_or_an_exponent(void **state)
{
        assert_read("{\"i32\":1.0,\"u32\":1e3,\"i64\":-2.0e2,\"u64\":9007199254740992.0}");
        assert_int_equal(m.i32, 1);
        assert_int_equal(m.u32, 1000);
        assert_int_equal(m.i64, -200);
        assert_true(m.u64 == 9007199254740992);
        assert_read("{\"i32\":-0,\"u32\":-0,\"i64\":-0.0}");
        assert_int_equal(m.u32, 0);
        assert_invalid("{\"i32\":1.5}", "i32");
        assert_invalid("{\"i64\":9007199254740994.0}", "i64"); /* beyond the precision of doubles */
        assert_invalid("{\"i64\":1e300}", "i64");
        assert_invalid("{\"u32\":-1.0}", "u32");
}

static void unknown_fields_are_rejected_by_name(void **state)
{
        assert_invalid("{\"nothing\":1}", "nothing");
        assert_invalid("{\"inner\":{\"nothing\":1}}", "inner.nothing");
        assert_invalid("{\"inners\":[{},{\"deeper\":{\"word\":[]}}]}", "inners[1].deeper.word");
        assert_invalid("{\"\":1}", "");
        assert_invalid("{\"I32\":1}", "I32");
        assert_invalid("{\"maybe_text\":1}", "maybe_text"); /* a oneof is not a field */
}

static void fields_from_the_path_are_unknown_only_in_the_body(void **state)
{
        static const char *const skip[] = {"i32", "inner", NULL};
        static const char body[] = "{\"text\":\"a\",\"i32\":1}", other[] = "{\"inners\":[{\"size\":1}]}";
        assert_problem(read_text(body, strlen(body), skip, &m.base), "validation_failed", "i32", body);
        assert_int_equal(read_text(other, strlen(other), skip, &m.base), SN_OK);
}

static void repeated_keys_are_rejected_by_name(void **state)
{
        assert_invalid("{\"i32\":1,\"i32\":1}", "i32");
        assert_invalid("{\"inner\":{\"name\":\"a\",\"size\":1,\"name\":\"b\"}}", "inner.name");
        assert_invalid("{\"inners\":[{},{\"size\":1,\"size\":1}]}", "inners[1].size");
        assert_invalid("{\"i32\":1,\"i\\u00332\":1}", "i32"); /* the same key, written with an escape */
        assert_invalid("{\"a\\\"b\":{\"x\":1,\"x\":2}}", "a\"b.x");
}

/* Like text in json_set_field. */
static void ranges_apply_to_an_explicit_zero(void **state)
{
        static const char *const outside[] = {"0", "0.0", "-1", "101", "1e18", "\"1\"", "9223372036854775807"};
        JsonTest__Rules r = JSON_TEST__RULES__INIT;
        char text[100];
        for (size_t i = 0; i < sizeof(outside) / sizeof(outside[0]); i++) {
                snprintf(text, sizeof(text), "{\"needed\":\"x\",\"nulled_number\":%s}", outside[i]);
                assert_problem(read_text(text, strlen(text), NULL, &r.base), "validation_failed", "nulled_number",
                               text);
                assert_string_equal(c->problem.detail, "must be a whole number from 1 to 100");
                assert_int_equal(json_set_field(c, type_of(&r.base), &r.base, STR("nulled_number"), str_of(outside[i])),
                                 SN_INVALID_ARGUMENT);
                assert_string_equal(c->problem.detail, "must be a whole number from 1 to 100");
        }
        assert_int_equal(json_set_field(c, type_of(&r.base), &r.base, STR("nulled_number"), STR("100")), SN_OK);
        assert_int_equal(r.nulled_number, 100);
}

static void null_is_rejected_for_every_field_in_every_place(void **state)
{
        const ProtobufCMessageDescriptor *d = &json_test__kinds__descriptor;
        char text[100];
        for (unsigned i = 0; i < d->n_fields; i++) {
                snprintf(text, sizeof(text), "{\"%s\":null}", d->fields[i].name);
                assert_invalid(text, d->fields[i].name);
                assert_non_null(strstr(c->problem.detail, "ust not be null"));
        }
        assert_invalid("{\"texts\":[\"a\",null]}", "texts[1]");
        assert_invalid("{\"i32s\":[null]}", "i32s[0]");
        assert_invalid("{\"inners\":[{},null]}", "inners[1]");
        assert_invalid("{\"inners\":[{},{\"name\":null}]}", "inners[1].name");
        assert_invalid("{\"inner\":{\"deeper\":{\"words\":null}}}", "inner.deeper.words");
        assert_invalid("{\"number\":1,\"object\":null}", "object");
}

static void oneof_members_are_marked_and_exclude_each_other(void **state)
{
        assert_read("{\"maybe\":\"\",\"yes\":false}");
        assert_int_equal(m.maybe_text_case, JSON_TEST__KINDS__MAYBE_TEXT_MAYBE);
        assert_string_equal(m.maybe, "");
        assert_int_equal(m.choice_case, JSON_TEST__KINDS__CHOICE_YES);
        assert_read("{\"object\":{\"size\":3}}");
        assert_int_equal(m.object->size, 3);
        assert_invalid("{\"object\":{},\"yes\":true}", "yes");
}

static void enums_are_read_by_name(void **state)
{
        assert_read("{\"mood\":\"very_sad\",\"colour\":\"red\"}");
        assert_int_equal(m.colour, JSON_TEST__COLOUR__PAINT_RED);
        assert_invalid("{\"mood\":\"MOOD_GLAD\"}", "mood");
        assert_invalid("{\"mood\":\"unspecified\"}", "mood");
        assert_invalid("{\"moods\":[\"unspecified\"]}", "moods[0]");
        assert_invalid("{\"mood\":\"Glad\"}", "mood");
        assert_invalid("{\"mood\":\"\"}", "mood");
        assert_invalid("{\"mood\":1}", "mood");
        assert_string_equal(c->problem.detail, "must be one of: glad, very_sad");
}

static void depth_is_limited_before_anything_is_parsed(void **state)
{
        char text[20000] = "";
        assert_read("{\"inner\":{\"deeper\":{\"words\":[]}}}");
        memset(text, '[', 17);
        assert_invalid(text, "[0][0][0][0][0][0][0][0][0][0][0][0][0][0][0][0]");
        memset(text, '[', sizeof(text) - 1);
        assert_problem(read_text(text, sizeof(text) - 1, NULL, &m.base), "validation_failed", c->problem.field, "deep");
        for (size_t i = 0; i + 6 < sizeof(text); i += 5) {
                memcpy(text + i, "{\"a\":", 5);
        }
        assert_problem(read_text(text, sizeof(text) - 1, NULL, &m.base), "validation_failed",
                       "a.a.a.a.a.a.a.a.a.a.a.a.a.a.a.a", "deep");
        /* Brackets in strings do not count. */
        assert_read("{\"text\":\"[[[[[[[[[[[[[[[[[[[[[[[[\\\"[[[[{{{{\"}");
        /* 16 levels are accepted by the reader, and then rejected for their contents. */
        assert_invalid("{\"inner\":[[[[[[[[[[[[[[[]]]]]]]]]]]]]]]}", "inner");
}

static void a_body_that_does_not_fit_into_the_arena_is_rejected(void **state)
{
        struct arena *own = c->arena;
        c->arena = arena_new(64 * 1024);
        struct buf body;
        buf_init(&body, 1 << 20);
        buf_append_c(&body, "{\"inners\":[{}");
        for (int i = 0; i < 5000; i++) {
                buf_append_c(&body, ",{}");
        }
        buf_append_c(&body, "]}");
        assert_int_equal(json_read_message(c, (struct str){body.data, body.len}, NULL, type_of(&m.base), &m.base),
                         SN_RESOURCE_EXHAUSTED);
        buf_free(&body);
        arena_free(c->arena);
        c->arena = own;
}

/* Mutations of a valid body: all are read or rejected, without crashes (run under the sanitizers). */
static void any_bytes_are_read_or_rejected(void **state)
{
        static const char good[] = "{\"i32\":-1,\"real\":1.5e3,\"text\":\"h\\u00e9\",\"inner\":{\"name\":\"n\","
                                   "\"deeper\":{\"words\":[\"w\",\"x\"]}},"
                                   "\"at\":\"2026-01-02T03:04:05.678Z\",\"moods\":[\"glad\"],\"blob\":\"Zm9v\"}";
        static const char marks[] = "\"\\{}[],:0-9eE.ntu\0\x80\xff ";
        uint32_t seed = 7;
        for (int round = 0; round < 20000; round++) {
                char text[sizeof(good)];
                memcpy(text, good, sizeof(good));
                size_t len = sizeof(good) - 1;
                for (int change = 0; change <= round % 3; change++) {
                        seed = seed * 1664525u + 1013904223u;
                        text[(seed >> 8) % len] = marks[(seed >> 24) % (sizeof(marks) - 1)];
                }
                len -= round % 7 == 0 ? (seed >> 16) % len : 0;
                struct arena_mark mark = arena_mark(c->arena);
                JsonTest__Kinds out = JSON_TEST__KINDS__INIT;
                sn_status status = read_text(text, len, NULL, &out.base);
                assert_true(status == SN_OK || status == SN_INVALID_ARGUMENT);
                arena_reset(c->arena, mark);
        }
}

int main(void)
{
        const struct CMUnitTest tests[] = {
            READ_TEST(every_kind_of_field_is_read),
            READ_TEST(lists_of_every_kind_are_read),
            READ_TEST(written_json_reads_back_as_the_same_message),
            READ_TEST(malformed_text_is_rejected_with_line_and_column),
            READ_TEST(the_body_must_be_an_object),
            READ_TEST(each_kind_rejects_wrong_types),
            READ_TEST(numbers_at_their_limits_are_accepted_and_beyond_them_rejected),
            READ_TEST(a_whole_number_may_be_written_with_a_fraction_of_zero_or_an_exponent),
            READ_TEST(unknown_fields_are_rejected_by_name),
            READ_TEST(fields_from_the_path_are_unknown_only_in_the_body),
            READ_TEST(repeated_keys_are_rejected_by_name),
            READ_TEST(ranges_apply_to_an_explicit_zero),
            READ_TEST(null_is_rejected_for_every_field_in_every_place),
            READ_TEST(oneof_members_are_marked_and_exclude_each_other),
            READ_TEST(enums_are_read_by_name),
            READ_TEST(depth_is_limited_before_anything_is_parsed),
            READ_TEST(a_body_that_does_not_fit_into_the_arena_is_rejected),
            READ_TEST(any_bytes_are_read_or_rejected),
        };
        return cmocka_run_group_tests_name("json read", tests, NULL, NULL);
}
