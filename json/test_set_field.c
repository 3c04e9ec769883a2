/* Setting fields from the text of paths and queries. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <string.h>
#include <cmocka.h>

#include "json/json.h"
#include "json/test_kinds.h"

static struct rpc_call *c;
static JsonTest__Kinds m;

static int setup(void **state)
{
        c = rpc_call_new_background(NULL, 60000);
        json_test__kinds__init(&m);
        return 0;
}

static int teardown(void **state)
{
        rpc_call_free(c);
        return 0;
}

static void assert_set(const char *name, const char *value)
{
        assert_int_equal(json_set_field(c, type_of(&m.base), &m.base, str_of(name), str_of(value)), SN_OK);
}

static void assert_refused(struct str name, struct str value, const char *field)
{
        assert_int_equal(json_set_field(c, type_of(&m.base), &m.base, name, value), SN_INVALID_ARGUMENT);
        assert_string_equal(c->problem.code, "validation_failed");
        assert_string_equal(c->problem.field, field);
}

static void assert_value_refused(const char *name, const char *value)
{
        assert_refused(str_of(name), str_of(value), name);
}

static void every_scalar_is_read_from_text(void **state)
{
        assert_set("i32", "-2147483648");
        assert_int_equal(m.i32, INT32_MIN);
        assert_set("u32", "4294967295");
        assert_int_equal(m.u32, UINT32_MAX);
        assert_set("i64", "-9223372036854775808");
        assert_true(m.i64 == INT64_MIN);
        assert_set("u64", "18446744073709551615");
        assert_true(m.u64 == UINT64_MAX);
        assert_set("real", "-2.5e3");
        assert_true(m.real == -2500);
        assert_set("flag", "true");
        assert_true(m.flag);
        assert_set("flag", "false");
        assert_false(m.flag);
        assert_set("mood", "very_sad");
        assert_int_equal(m.mood, JSON_TEST__MOOD__MOOD_VERY_SAD);
        assert_set("text", "a,b \xF0\x9F\x98\x80");
        assert_string_equal(m.text, "a,b \xF0\x9F\x98\x80");
        assert_set("text", "");
        assert_string_equal(m.text, "");
        assert_set("blob", "Zg");
        assert_int_equal(m.blob.len, 1);
        assert_set("at", "2026-01-02T03:04:05Z");
        assert_int_equal(m.at->seconds, 1767323045);
        assert_set("maybe", "x");
        assert_int_equal(m.maybe_text_case, JSON_TEST__KINDS__MAYBE_TEXT_MAYBE);
}

static void numbers_are_decimal_and_within_their_range(void **state)
{
        static const char *const wrong[] = {"",    " 1",         "1 ",          "+1",
                                            "0x1", "1.0",        "1e3",         "--1",
                                            "a",   "2147483648", "-2147483649", "99999999999999999999999999"};
        for (size_t i = 0; i < sizeof(wrong) / sizeof(wrong[0]); i++) {
                assert_value_refused("i32", wrong[i]);
        }
        assert_value_refused("u32", "-1");
        assert_value_refused("u32", "4294967296");
        assert_value_refused("u64", "18446744073709551616");
        assert_value_refused("u64", "-1");
        assert_value_refused("i64", "9223372036854775808");
        assert_value_refused("real", "inf");
        assert_value_refused("real", "nan");
        assert_value_refused("real", "0x1p3");
        assert_value_refused("real", "1e400");
        assert_value_refused("real", "1.5x");
        assert_value_refused("real", "");
        assert_value_refused("single", "1e39");
        assert_value_refused("flag", "1");
        assert_value_refused("flag", "TRUE");
        assert_value_refused("mood", "MOOD_GLAD");
        assert_value_refused("mood", "1");
        assert_value_refused("blob", "Z");
        assert_value_refused("at", "yesterday");
        assert_value_refused("inner", "{}");
}

static void a_list_takes_elements_between_commas_and_can_be_given_again(void **state)
{
        assert_set("texts", "a,b,c");
        assert_set("texts", "d");
        assert_set("texts", "");
        assert_int_equal(m.n_texts, 4);
        assert_string_equal(m.texts[0], "a");
        assert_string_equal(m.texts[2], "c");
        assert_string_equal(m.texts[3], "d");
        for (int i = 0; i < 1000; i++) {
                assert_set("i32s", "1,2,3");
        }
        assert_int_equal(m.n_i32s, 3000);
        assert_int_equal(m.i32s[2999], 3);
}

static void a_wrong_element_is_named_by_its_index(void **state)
{
        assert_refused(STR("i32s"), STR("1,2,x"), "i32s[2]");
        assert_int_equal(m.n_i32s, 2);
        assert_refused(STR("texts"), STR("a,,b"), "texts[1]");
        m.n_texts = 0;
        assert_refused(STR("texts"), STR(","), "texts[0]");
        assert_refused(STR("texts"), STR("a,"), "texts[1]");
}

static void names_that_the_message_does_not_have_are_refused(void **state)
{
        assert_refused(STR("nothing"), STR("1"), "nothing");
        assert_refused(STR(""), STR("1"), "");
        assert_refused(STR("i32\0x"), STR("1"), "i32");
        assert_refused(STR("inner.name"), STR("1"), "inner.name");
        assert_refused(STR("i32_and_a_very_long_name_that_goes_on_and_on_and_on_and_on_and_on"), STR("1"),
                       "i32_and_a_very_long_name_that_goes_on_and_on_and_on_and_on_and_o");
        assert_refused((struct str){NULL, 0}, STR("1"), "");
}

static void invalid_utf8_and_nul_are_refused(void **state)
{
        assert_refused(STR("text"), STR("a\0b"), "text");
        assert_refused(STR("text"), STR("\xff"), "text");
        assert_refused(STR("text"), STR("\xED\xA0\x80"), "text");
}

static void alternatives_exclude_each_other(void **state)
{
        assert_set("number", "4");
        assert_refused(STR("yes"), STR("true"), "yes");
        assert_int_equal(m.choice_case, JSON_TEST__KINDS__CHOICE_NUMBER);
        assert_int_equal(m.number, 4);
}

#define TEST(f) cmocka_unit_test_setup_teardown(f, setup, teardown)

int main(void)
{
        const struct CMUnitTest tests[] = {
            TEST(every_scalar_is_read_from_text),
            TEST(numbers_are_decimal_and_within_their_range),
            TEST(a_list_takes_elements_between_commas_and_can_be_given_again),
            TEST(a_wrong_element_is_named_by_its_index),
            TEST(names_that_the_message_does_not_have_are_refused),
            TEST(invalid_utf8_and_nul_are_refused),
            TEST(alternatives_exclude_each_other),
        };
        return cmocka_run_group_tests_name("json set_field", tests, NULL, NULL);
}
