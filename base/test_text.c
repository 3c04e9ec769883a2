/* Buffers, views, UTF-8, times and IDs. */
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <setjmp.h>
#include <cmocka.h>
#include <ctype.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>

#include "base/buf.h"
#include "base/clock.h"
#include "base/str.h"
#include "base/uuid.h"

static void a_buffer_stops_at_its_maximum_and_is_marked(void **state)
{
        struct buf b;
        buf_init(&b, 10);
        buf_append_c(&b, "12345");
        buf_append_c(&b, "67890");
        assert_false(b.overflow);
        assert_string_equal(b.data, "1234567890");
        buf_append_char(&b, 'x');
        assert_true(b.overflow);
        buf_append(&b, "", 0); /* accepts nothing more, not even what would fit */
        assert_int_equal(b.len, 10);
        buf_reset(&b);
        assert_false(b.overflow);
        assert_string_equal(b.data, "");
        buf_printf(&b, "%d-%s", 12, "ab");
        assert_string_equal(b.data, "12-ab");
        buf_printf(&b, "%s", "too long for it");
        assert_true(b.overflow);
        assert_false(buf_reserve(&b, 0));
        buf_free(&b);
        buf_free(&b);
}

static void borrowed_bytes_are_readable_and_never_changed(void **state)
{
        static const char bytes[] = "read-only";
        struct buf b;
        buf_borrow(&b, bytes, sizeof(bytes) - 1);
        assert_ptr_equal(b.data, bytes);
        assert_int_equal(b.len, sizeof(bytes) - 1);
        buf_append_c(&b, "x");
        assert_true(b.overflow);
        buf_reset(&b);
        assert_int_equal(b.len, 0);
        buf_borrow(&b, bytes, 1);
        buf_free(&b);
        assert_string_equal(bytes, "read-only");
}

static void a_reserve_that_would_overflow_fails(void **state)
{
        struct buf b;
        buf_init(&b, SIZE_MAX);
        buf_append_c(&b, "a");
        assert_false(buf_reserve(&b, SIZE_MAX));
        assert_true(b.overflow);
        buf_free(&b);
}

static void numbers_are_written_completely(void **state)
{
        struct buf b;
        buf_init(&b, 1000);
        buf_append_i64(&b, INT64_MIN);
        buf_append_char(&b, ' ');
        buf_append_i64(&b, INT64_MAX);
        buf_append_char(&b, ' ');
        buf_append_u64(&b, UINT64_MAX);
        buf_append_char(&b, ' ');
        buf_append_i64(&b, 0);
        assert_string_equal(b.data, "-9223372036854775808 9223372036854775807 18446744073709551615 0");
        buf_free(&b);
}

static void numbers_are_parsed_strictly(void **state)
{
        static const char *const bad[] = {
            "",    "-", "+1", " 1", "1 ", "1a", "--1", "0x1", "9223372036854775808", "-9223372036854775809",
            "1.0", "١", "1e3"};
        int64_t n = 7;
        for (size_t i = 0; i < sizeof(bad) / sizeof(bad[0]); i++) {
                assert_false(str_to_i64(str_of(bad[i]), &n));
                assert_int_equal(n, 7);
        }
        assert_true(str_to_i64(STR("-9223372036854775808"), &n));
        assert_true(n == INT64_MIN);
        assert_true(str_to_i64(STR("9223372036854775807"), &n));
        assert_true(n == INT64_MAX);
        assert_false(str_to_i64((struct str){"1\0", 2}, &n));
}

static void a_view_is_split_at_each_separator(void **state)
{
        struct str s = STR("a,,b,"), head;
        assert_true(str_next(&s, ',', &head) && str_equal_c(head, "a"));
        assert_true(str_next(&s, ',', &head) && head.len == 0);
        assert_true(str_next(&s, ',', &head) && str_equal_c(head, "b"));
        assert_false(str_next(&s, ',', &head));
        assert_true(str_equal(str_trim(STR(" \t x y\t")), STR("x y")));
        assert_true(str_equal(str_trim(STR("  ")), STR("")));
        assert_true(str_equal_nocase(STR("ETag"), STR("etAG")));
        assert_false(str_equal_nocase(STR("[]"), STR("{}")));
        assert_true(str_starts(STR("Bearer x"), STR("Bearer ")));
        assert_false(str_starts(STR("Bea"), STR("Bearer ")));
        assert_true(str_equal(str_of(NULL), STR("")));
}

static void utf8_is_checked_as_in_rfc_3629(void **state)
{
        static const char *const good[] = {
            "", "plain", "é", "€", "😀", "\xed\x9f\xbf", "\xee\x80\x80", "\xf4\x8f\xbf\xbf", "eight byte é text"};
        static const char *const bad[] = {"\x80",
                                          "\xc0\x80",
                                          "\xc1\xbf",
                                          "\xc3",
                                          "\xe0\x80\x80",
                                          "\xe0\x9f\xbf",
                                          "\xed\xa0\x80",
                                          "\xed\xbf\xbf",
                                          "\xe2\x82",
                                          "\xf0\x80\x80\x80",
                                          "\xf0\x8f\xbf\xbf",
                                          "\xf4\x90\x80\x80",
                                          "\xf5\x80\x80\x80",
                                          "\xff",
                                          "abcdefgh\xc3(",
                                          "\xe2\x28\xa1",
                                          "\xf0\x9f\x98"};
        for (size_t i = 0; i < sizeof(good) / sizeof(good[0]); i++) {
                assert_true(utf8_valid(good[i], strlen(good[i])));
        }
        for (size_t i = 0; i < sizeof(bad) / sizeof(bad[0]); i++) {
                assert_false(utf8_valid(bad[i], strlen(bad[i])));
        }
        assert_true(utf8_valid("a\0b", 3));
}

/* Every code point, compared with an encoder in this file. */
static void every_code_point_is_decoded(void **state)
{
        for (uint32_t code = 0; code < 0x110000; code++) {
                char p[4];
                size_t n;
                if (code < 0x80) {
                        p[0] = (char)code;
                        n = 1;
                } else if (code < 0x800) {
                        p[0] = (char)(0xc0 | code >> 6);
                        n = 2;
                } else if (code < 0x10000) {
                        p[0] = (char)(0xe0 | code >> 12);
                        n = 3;
                } else {
                        p[0] = (char)(0xf0 | code >> 18);
                        n = 4;
                }
                for (size_t i = 1; i < n; i++) {
                        p[i] = (char)(0x80 | (code >> (6 * (n - 1 - i)) & 0x3f));
                }
                bool surrogate = code >= 0xd800 && code < 0xe000;
                uint32_t decoded;
                if (utf8_valid(p, n) == surrogate ||
                    (!surrogate && (utf8_decode(p, n, &decoded) != n || decoded != code))) {
                        fail_msg("U+%04X", (unsigned)code);
                }
        }
        assert_int_equal(utf8_length("aé€😀", 10), 4);
}

static void times_are_formatted_as_in_rfc_3339(void **state)
{
        char out[CLOCK_RFC3339_SIZE];
        assert_string_equal(clock_format_ms(0, out), "1970-01-01T00:00:00.000Z");
        assert_string_equal(clock_format_ms(-1, out), "1969-12-31T23:59:59.999Z");
        assert_string_equal(clock_format_ms(951782400000, out), "2000-02-29T00:00:00.000Z");
        assert_string_equal(clock_format_ms(INT64_MAX, out), "9999-12-31T23:59:59.999Z");
        assert_string_equal(clock_format_ms(INT64_MIN, out), "0000-01-01T00:00:00.000Z");
}

static void times_agree_with_the_c_library_on_every_day(void **state)
{
        for (int64_t day = -719528; day < 2932896; day++) { /* the years 0000 to 9999 */
                time_t t = (time_t)(day * 86400 + (day & 0x7fff));
                struct tm tm;
                gmtime_r(&t, &tm);
                char expected[32], out[CLOCK_RFC3339_SIZE];
                strftime(expected, sizeof(expected), "-%m-%dT%H:%M:%S.042Z", &tm);
                clock_format_ms((int64_t)t * 1000 + 42, out);
                int year = (out[0] - '0') * 1000 + (out[1] - '0') * 100 + (out[2] - '0') * 10 + out[3] - '0';
                if (year != tm.tm_year + 1900 || strcmp(out + 4, expected) != 0) {
                        fail_msg("%s is not %d%s", out, tm.tm_year + 1900, expected);
                }
        }
}

static int64_t standing_clock(void)
{
        return 1700000000123456;
}

static void no_random(void *out, size_t len)
{
        memset(out, 0xff, len);
}

/* Run first: IDs never go back before those from the real clock. */
static void an_id_carries_the_time_and_the_version(void **state)
{
        const struct clock_source source = {.wall_us = standing_clock, .random = no_random};
        clock_set_source(&source);
        char a[UUID_SIZE], b[UUID_SIZE];
        assert_string_equal(uuid_new(a), "018bcfe5-687b-774b-bfff-ffffffffffff");
        uuid_new(b);
        clock_set_source(NULL);
        assert_int_equal(uuid_time_ms(a), 1700000000123);
        assert_true(strcmp(a, b) < 0); /* although the clock stands still */
}

static void later_ids_sort_after_earlier_ones(void **state)
{
        char last[UUID_SIZE] = "", id[UUID_SIZE];
        for (int i = 0; i < 100000; i++) {
                uuid_new(id);
                assert_true(strcmp(last, id) < 0);
                memcpy(last, id, sizeof(last));
        }
        assert_true(uuid_valid(id));
}

static void non_canonical_ids_are_rejected(void **state)
{
        static const char *const bad[] = {"",
                                          "018bcfe5-687b-774b-bfff-fffffffffff",
                                          "018bcfe5-687b-774b-bfff-fffffffffffff",
                                          "018bcfe5687b774bbfffffffffffffff",
                                          "018bcfe5-687b-774b-bfff-ffffffffffgf",
                                          "018bcfe5+687b-774b-bfff-ffffffffffff",
                                          "{18bcfe5-687b-774b-bfff-fffffffffff}",
                                          "018bcfe5-687b-774b-bfff"};
        for (size_t i = 0; i < sizeof(bad) / sizeof(bad[0]); i++) {
                assert_false(uuid_valid(bad[i]));
        }
        assert_false(uuid_valid(NULL));
        uint8_t bytes[16];
        char out[UUID_SIZE];
        assert_true(uuid_to_bytes("018BCFE5-687B-774B-BFFF-FFFFFFFFFFFA", bytes));
        assert_string_equal(uuid_from_bytes(bytes, out), "018bcfe5-687b-774b-bfff-fffffffffffa");
        assert_false(uuid_equal("", ""));
        assert_false(uuid_equal(NULL, out));
        assert_true(uuid_equal(out, out));
}

static void a_uuid_has_hexadecimal_digits_alone_in_all_places(void **state)
{
        const char good[] = "01234567-89ab-cdef-ABCD-EF0123456789";
        uint8_t bytes[16];

        assert_true(uuid_to_bytes(good, bytes));
        for (size_t at = 0; at < UUID_SIZE - 1; at++) {
                for (int c = 1; c < 256; c++) {
                        char text[UUID_SIZE];
                        memcpy(text, good, sizeof(text));
                        text[at] = (char)c;
                        assert_int_equal(uuid_to_bytes(text, bytes), good[at] == '-' ? c == '-' : isxdigit(c) != 0);
                        char one[] = {text[at], '\0'};
                        uint8_t value = (uint8_t)strtoul(one, NULL, 16);
                        size_t digit = at - (at > 8) - (at > 13) - (at > 18) - (at > 23);
                        if (good[at] != '-' && isxdigit(c)) {
                                assert_int_equal(bytes[digit / 2] >> (digit % 2 == 0 ? 4 : 0) & 15, value);
                        }
                }
        }
}

static void random_numbers_are_below_their_bound_and_reach_all_values(void **state)
{
        int seen[7] = {0};
        for (int i = 0; i < 2000; i++) {
                uint32_t n = random_below(7);
                assert_true(n < 7);
                seen[n]++;
        }
        for (int i = 0; i < 7; i++) {
                assert_true(seen[i] > 0);
        }
        assert_int_equal(random_below(1), 0);
}

int main(void)
{
        const struct CMUnitTest tests[] = {
            cmocka_unit_test(an_id_carries_the_time_and_the_version),
            cmocka_unit_test(later_ids_sort_after_earlier_ones),
            cmocka_unit_test(non_canonical_ids_are_rejected),
            cmocka_unit_test(a_buffer_stops_at_its_maximum_and_is_marked),
            cmocka_unit_test(borrowed_bytes_are_readable_and_never_changed),
            cmocka_unit_test(a_reserve_that_would_overflow_fails),
            cmocka_unit_test(numbers_are_written_completely),
            cmocka_unit_test(numbers_are_parsed_strictly),
            cmocka_unit_test(a_view_is_split_at_each_separator),
            cmocka_unit_test(utf8_is_checked_as_in_rfc_3629),
            cmocka_unit_test(every_code_point_is_decoded),
            cmocka_unit_test(times_are_formatted_as_in_rfc_3339),
            cmocka_unit_test(times_agree_with_the_c_library_on_every_day),
            cmocka_unit_test(a_uuid_has_hexadecimal_digits_alone_in_all_places),
            cmocka_unit_test(random_numbers_are_below_their_bound_and_reach_all_values),
        };
        return cmocka_run_group_tests(tests, NULL, NULL);
}
