/* Which region of a file is sent for which conditions, by RFC 9110. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <cmocka.h>

#include "rpc/file_answer.h"

enum {
        WHOLE = FILE__OUTCOME__OUTCOME_WHOLE,
        PART = FILE__OUTCOME__OUTCOME_PART,
        NOT_MODIFIED = FILE__OUTCOME__OUTCOME_NOT_MODIFIED,
        UNSATISFIABLE = FILE__OUTCOME__OUTCOME_UNSATISFIABLE,
};

static File__Chunk choose(int64_t size, const char *range, const char *if_range, const char *if_none_match, bool head)
{
        File__Conditions conditions = FILE__CONDITIONS__INIT;
        File__Chunk answer = FILE__CHUNK__INIT;
        conditions.range = (char *)range;
        conditions.if_range = (char *)if_range;
        conditions.if_none_match = (char *)if_none_match;
        conditions.head = head;
        answer.size = size;
        answer.etag = "tag";
        file_choose_region(&conditions, &answer);
        return answer;
}

static void ranges_are_parsed_as_in_the_standard(void **state)
{
        static const struct {
                const char *range;
                int64_t size;
                int outcome;
                int64_t offset, length;
        } cases[] = {
            {"", 10, WHOLE, 0, 10},
            {"bytes=0-4", 10, PART, 0, 5},
            {"bytes=3-3", 10, PART, 3, 1},
            {"bytes=4-", 10, PART, 4, 6},
            {"bytes=0-", 10, PART, 0, 10},
            {"bytes=0-99999999999999999999999", 10, PART, 0, 10},
            {"bytes=-3", 10, PART, 7, 3},
            {"bytes=-30", 10, PART, 0, 10},
            {"BYTES=1-2", 10, PART, 1, 2},
            {"bytes=10-", 10, UNSATISFIABLE, 0, 0},
            {"bytes=99999999999999999999999-", 10, UNSATISFIABLE, 0, 0},
            {"bytes=-0", 10, UNSATISFIABLE, 0, 0},
            {"bytes=0-", 0, UNSATISFIABLE, 0, 0},
            {"bytes=-5", 0, WHOLE, 0, 0},
            /* not understood, or not for us: ignored */
            {"bytes=4-3", 10, WHOLE, 0, 10},
            {"bytes=0-1,4-5", 10, WHOLE, 0, 10},
            {"bytes=", 10, WHOLE, 0, 10},
            {"bytes=-", 10, WHOLE, 0, 10},
            {"bytes=5", 10, WHOLE, 0, 10},
            {"bytes=a-b", 10, WHOLE, 0, 10},
            {"bytes=+1-2", 10, WHOLE, 0, 10},
            {"bytes=1-2-3", 10, WHOLE, 0, 10},
            {"bytes", 10, WHOLE, 0, 10},
            {"lines=0-4", 10, WHOLE, 0, 10},
            {"bytes=9223372036854775807-9223372036854775807", INT64_MAX, UNSATISFIABLE, 0, 0},
            {"bytes=0-9223372036854775807", INT64_MAX, PART, 0, INT64_MAX},
        };
        for (size_t i = 0; i < sizeof(cases) / sizeof(cases[0]); i++) {
                File__Chunk answer = choose(cases[i].size, cases[i].range, "", "", false);
                if ((int)answer.outcome != cases[i].outcome || answer.offset != cases[i].offset ||
                    answer.length != cases[i].length) {
                        fail_msg("%s of %ld: %d, %ld+%ld", cases[i].range, (long)cases[i].size, (int)answer.outcome,
                                 (long)answer.offset, (long)answer.length);
                }
        }
}

static void a_range_applies_only_while_the_tag_matches(void **state)
{
        assert_int_equal(choose(10, "bytes=1-2", "\"tag\"", "", false).outcome, PART);
        assert_int_equal(choose(10, "bytes=1-2", "\"other\"", "", false).outcome, WHOLE);
        assert_int_equal(choose(10, "bytes=1-2", "W/\"tag\"", "", false).outcome, WHOLE);
        assert_int_equal(choose(10, "bytes=1-2", "Sun, 06 Nov 1994 08:49:37 GMT", "", false).outcome, WHOLE);
        assert_int_equal(choose(10, "bytes=99-", "\"other\"", "", false).outcome, WHOLE);
}

static void a_file_that_the_client_has_is_not_sent_again(void **state)
{
        assert_int_equal(choose(10, "", "", "\"tag\"", false).outcome, NOT_MODIFIED);
        assert_int_equal(choose(10, "", "", "\"a\", W/\"tag\"", false).outcome, NOT_MODIFIED);
        assert_int_equal(choose(10, "", "", "*", false).outcome, NOT_MODIFIED);
        assert_int_equal(choose(10, "bytes=99-", "", "\"tag\"", false).outcome, NOT_MODIFIED);
        assert_int_equal(choose(10, "", "", "\"other\", tag", false).outcome, WHOLE);
}

static void head_describes_the_whole_file(void **state)
{
        assert_int_equal(choose(10, "bytes=1-2", "", "", true).outcome, WHOLE);
        assert_int_equal(choose(10, "bytes=1-2", "", "", true).length, 10);
        assert_int_equal(choose(10, "", "", "\"tag\"", true).outcome, NOT_MODIFIED);
}

int main(void)
{
        const struct CMUnitTest tests[] = {
            cmocka_unit_test(ranges_are_parsed_as_in_the_standard),
            cmocka_unit_test(a_range_applies_only_while_the_tag_matches),
            cmocka_unit_test(a_file_that_the_client_has_is_not_sent_again),
            cmocka_unit_test(head_describes_the_whole_file),
        };
        return cmocka_run_group_tests_name("file answer", tests, NULL, NULL);
}
