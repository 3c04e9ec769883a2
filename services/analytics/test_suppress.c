/* What is withheld of groups that make a total. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <string.h>
#include <cmocka.h>
#include "services/analytics/suppress.h"

#define MIN 5

/* "#" for each group that is hidden, "." for each that is shown. */
static const char *hide(const int64_t *people, size_t n)
{
        static char text[20];
        bool hidden[20];

        suppress_small(people, n, MIN, hidden);
        for (size_t i = 0; i < n; i++) {
                text[i] = hidden[i] ? '#' : '.';
        }
        text[n] = '\0';
        return text;
}
#define HIDE(...) hide((const int64_t[]){__VA_ARGS__}, sizeof((const int64_t[]){__VA_ARGS__}) / sizeof(int64_t))

static void small_groups_are_withheld(void **state)
{
        assert_string_equal(HIDE(5, 100), "..");
        assert_string_equal(HIDE(4, 3, 100), "##.");
        assert_string_equal(HIDE(0, 5), "..");
}

/* The total less what is shown tells of a single hidden group, or of hidden ones that are few together. */
static void no_difference_tells_of_a_small_group(void **state)
{
        assert_string_equal(HIDE(4, 50, 7, 100), "#.#.");
        assert_string_equal(HIDE(1, 2, 50, 7), "##.#");
        assert_string_equal(HIDE(3), "#");
        assert_string_equal(HIDE(1, 1), "##");
}

/* Over all groups of up to six people in up to four groups: neither a small group nor a small difference is left. */
static void whatever_the_groups_are(void **state)
{
        for (int64_t all = 0; all < 7 * 7 * 7 * 7; all++) {
                int64_t people[4] = {all % 7, all / 7 % 7, all / 49 % 7, all / 343};
                int64_t rest = 0;
                bool hidden[4], any_shown = false, any_hidden = false;

                suppress_small(people, 4, MIN, hidden);
                for (size_t i = 0; i < 4; i++) {
                        assert_true(hidden[i] || people[i] == 0 || people[i] >= MIN);
                        any_shown = any_shown || (!hidden[i] && people[i] > 0);
                        any_hidden = any_hidden || hidden[i];
                        rest += hidden[i] ? people[i] : 0;
                }
                assert_true(!any_shown || !any_hidden || rest >= MIN);
        }
}

int main(void)
{
        const struct CMUnitTest tests[] = {
            cmocka_unit_test(small_groups_are_withheld),
            cmocka_unit_test(no_difference_tells_of_a_small_group),
            cmocka_unit_test(whatever_the_groups_are),
        };

        return cmocka_run_group_tests(tests, NULL, NULL);
}
