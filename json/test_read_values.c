/* JSON texts that represent other values: times, bytes, escapes. */
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include "json/test_read_support.h"

static void assert_time(const char *text, int64_t seconds, int32_t nanos)
{
        char body[100];
        snprintf(body, sizeof(body), "{\"at\":\"%s\"}", text);
        assert_read(body);
        assert_true(m.at->seconds == seconds);
        assert_int_equal(m.at->nanos, nanos);
}

static void times_are_read_with_any_offset_and_fraction(void **state)
{
        assert_time("1970-01-01T00:00:00Z", 0, 0);
        assert_time("2026-01-02T03:04:05.678Z", 1767323045, 678000000);
        assert_time("2026-01-02t03:04:05.123456789z", 1767323045, 123456789);
        assert_time("2026-01-02T05:34:05+02:30", 1767323045, 0);
        assert_time("2026-01-01T22:04:05-05:00", 1767323045, 0);
        assert_time("2000-02-29T00:00:00Z", 951782400, 0);
        assert_time("1969-12-31T23:59:59.5Z", -1, 500000000);
        assert_time("0001-01-01T00:00:00Z", -62135596800, 0);
        assert_time("9999-12-31T23:59:59Z", 253402300799, 0);
}

static void invalid_times_are_rejected(void **state)
{
        static const char *const wrong[] = {"",
                                            "2026-01-02",
                                            "2026-01-02T03:04:05",
                                            "2026-01-02 03:04:05Z",
                                            "2026-01-02T03:04Z",
                                            "2026-13-02T03:04:05Z",
                                            "2026-00-02T03:04:05Z",
                                            "2026-02-29T03:04:05Z",
                                            "1900-02-29T03:04:05Z",
                                            "2026-04-31T03:04:05Z",
                                            "2026-01-02T24:00:00Z",
                                            "2026-01-02T03:60:05Z",
                                            "2026-01-02T03:04:60Z",
                                            "2026-01-02T03:04:05.Z",
                                            "2026-01-02T03:04:05.1234567890Z",
                                            "2026-01-02T03:04:05+24:00",
                                            "2026-01-02T03:04:05+2:00",
                                            "2026-01-02T03:04:05Zx",
                                            "+026-01-02T03:04:05Z",
                                            "0000-01-01T00:00:00Z",
                                            "0001-01-01T00:00:00+00:01",
                                            "9999-12-31T23:59:59-00:01",
                                            "20260102T030405Z"};
        for (size_t i = 0; i < sizeof(wrong) / sizeof(wrong[0]); i++) {
                char body[100];
                snprintf(body, sizeof(body), "{\"at\":\"%s\"}", wrong[i]);
                assert_invalid(body, "at");
        }
}

static void base64_is_strict_but_accepts_the_url_alphabet_and_no_padding(void **state)
{
        assert_read("{\"blobs\":[\"\",\"Zg==\",\"Zg\",\"Zm8=\",\"Zm8\",\"Zm9v\",\"__4=\"]}");
        assert_int_equal(m.n_blobs, 7);
        assert_int_equal(m.blobs[2].len, 1);
        assert_memory_equal(m.blobs[6].data, "\xff\xfe", 2);
        static const char *const wrong[] = {
            "Z", "Zg=", "Zg===", "====", "Z===", "Zh==", "Zm9", "Zm 9", "Zm9v=", "Z=g=", "\\n", "\\u00e9"};
        for (size_t i = 0; i < sizeof(wrong) / sizeof(wrong[0]); i++) {
                char body[100];
                snprintf(body, sizeof(body), "{\"blob\":\"%s\"}", wrong[i]);
                assert_invalid(body, "blob");
        }
}

static void every_escape_is_decoded(void **state)
{
        assert_read("{\"text\":\"\\\"\\\\\\/\\b\\f\\n\\r\\t\\u0041\\u00e9\\u20AC\\ud83d\\ude00\\uDBFF\\uDFFF\"}");
        assert_string_equal(m.text, "\"\\/\b\f\n\r\tA\xC3\xA9\xE2\x82\xAC\xF0\x9F\x98\x80\xF4\x8F\xBF\xBF");
}

static void lone_surrogates_are_rejected(void **state)
{
        ASSERT_MALFORMED("{\"text\":\"\\ud83d\"}");
        ASSERT_MALFORMED("{\"text\":\"\\ud83dx\"}");
        ASSERT_MALFORMED("{\"text\":\"\\ude00\"}");
        ASSERT_MALFORMED("{\"text\":\"\\ud83d\\u0041\"}");
        ASSERT_MALFORMED("{\"text\":\"\\ud83d\\ud83d\"}");
}

static void nul_characters_are_rejected_with_the_field(void **state)
{
        assert_invalid("{\"text\":\"a\\u0000b\"}", "text");
        assert_invalid("{\"inner\":{\"name\":\"\\u0000\"}}", "inner.name");
        assert_invalid("{\"texts\":[\"\",\"\\u0000\"]}", "texts[1]");
        assert_invalid("{\"te\\u0000xt\":\"\"}", "te\\u0000xt");
}

static void invalid_utf8_is_rejected_with_the_field(void **state)
{
        static const char *const wrong[] = {"\x80", "\xC0\xAF", "\xED\xA0\x80", "\xF4\x90\x80\x80", "\xE2\x82", "\xFF"};
        for (size_t i = 0; i < sizeof(wrong) / sizeof(wrong[0]); i++) {
                char body[100];
                snprintf(body, sizeof(body), "{\"inner\":{\"name\":\"a%s\"}}", wrong[i]);
                assert_invalid(body, "inner.name");
        }
}

int main(void)
{
        const struct CMUnitTest tests[] = {
            READ_TEST(times_are_read_with_any_offset_and_fraction),
            READ_TEST(invalid_times_are_rejected),
            READ_TEST(base64_is_strict_but_accepts_the_url_alphabet_and_no_padding),
            READ_TEST(every_escape_is_decoded),
            READ_TEST(lone_surrogates_are_rejected),
            READ_TEST(nul_characters_are_rejected_with_the_field),
            READ_TEST(invalid_utf8_is_rejected_with_the_field),
        };

        return cmocka_run_group_tests_name("json read values", tests, NULL, NULL);
}
