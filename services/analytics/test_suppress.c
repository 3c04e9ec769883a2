/* Which groups of a total are withheld, and how measured numbers are rounded. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <math.h>
#include <string.h>
#include <cmocka.h>
#include "services/analytics/experiments.h"
#include "services/analytics/suppress.h"

#define MIN 5

/* "#" for each hidden group, "." for each shown one. */
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

/* The total minus the groups shown would reveal a single hidden group, or hidden ones that are small together. */
static void no_difference_reveals_a_small_group(void **state)
{
        assert_string_equal(HIDE(4, 50, 7, 100), "#.#.");
        assert_string_equal(HIDE(1, 2, 50, 7), "##.#");
        assert_string_equal(HIDE(3), "#");
        assert_string_equal(HIDE(1, 1), "##");
}

/* For all combinations of up to four groups of up to six people, neither a small group nor a small difference is
 * revealed. */
static void all_groupings_are_suppressed_correctly(void **state)
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

/* ---- Measured numbers ---- */

static void steps_are_the_change_by_enough_people(void **state)
{
        assert_true(suppress_step(0, 100, MIN) == 0);
        assert_true(suppress_step(1, 0, MIN) == 0);
        assert_true(fabs(suppress_step(1, 100, MIN) - 0.05) < 1e-12);
        assert_true(fabs(suppress_step(1.1, 100, MIN) - 0.1) < 1e-12);
        assert_true(fabs(suppress_step(300, 1000, MIN) - 2) < 1e-12);
        for (int i = 0; i < 180; i++) {
                double n = 5 * pow(1.07, i);
                assert_true(suppress_step(1, n, MIN) * n >= MIN && suppress_step(1, n, MIN) * n < MIN * 2.51);
        }
}

static void numbers_are_rounded_to_multiples_of_a_step(void **state)
{
        assert_true(suppress_round(1.0 / 3, 0.1) == 0.3);
        assert_true(suppress_round(-0.68, 0.05) == -0.7);
        assert_true(suppress_round_down(0.3, 0.2) == 0.2 && suppress_round_up(0.3, 0.2) == 0.4);
        assert_true(suppress_round_down(-0.3, 0.2) == -0.4);
        assert_true(suppress_round(2.125, 0) == 2.125);
        assert_true(suppress_round_p(0.04321) == 0.044 && suppress_round_p(0) == 0 && suppress_round_p(0.999) == 1);
        assert_true(suppress_round_p(1.23e-9) == 1.3e-9);
}

/* Means of 100 people and of the same people without one, who is within two standard deviations of the others: usually
 * they are rounded to the same number, and they never differ by more than a step. */
static void one_person_more_or_less_makes_no_visible_difference(void **state)
{
        size_t same = 0, all = 0;

        for (int i = 0; i < 770; i++) {
                double mean = 1 + i * 0.0013;
                for (int k = -4; k <= 4; k++) {
                        double of_one = mean + k * 0.5;
                        double step = suppress_step(1, 100, MIN), without = (mean * 100 - of_one) / 99;
                        double apart = fabs(suppress_round(mean, step) - suppress_round(without, step));

                        assert_true(apart < step * 1.0001);
                        same += apart < step / 2 ? 1 : 0;
                        all++;
                }
        }
        assert_true(same * 10 > all * 7 && same < all);
}

static void add_person(struct stats_sums *s, double y, double people)
{
        s->n += people;
        s->y += people * y;
        s->yy += people * y * y;
}

static struct stats_sums people_with_up_to(int most)
{
        struct stats_sums s = {0};

        for (int i = 1; i <= 1002; i++) {
                add_person(&s, i % (most + 1), 1);
        }
        return s;
}

/* 1,002 people did it zero to three times, 1,002 others zero to four times. */
static void an_effect_without_one_person_is_the_same(void **state)
{
        struct stats_sums control = people_with_up_to(3), treatment = people_with_up_to(4);
        struct stats_estimate before = stats_mean(&control);
        double step = suppress_step(2, treatment.n, MIN);
        struct shown_effect all = experiment_show(before, stats_mean(&treatment), step, MIN);
        double exact = experiment_compare(before, stats_mean(&treatment)).p;

        assert_true(all.p < 1e-6 && all.p >= exact && all.better == 1);
        for (int y = 0; y <= 4; y++) {
                struct stats_sums others = treatment;

                add_person(&others, y, -1);
                struct shown_effect without = experiment_show(before, stats_mean(&others), step, MIN);

                assert_memory_equal(&without, &all, sizeof(all));
                /* The exact p would tell. */
                assert_true(suppress_round_p(experiment_compare(before, stats_mean(&others)).p) !=
                            suppress_round_p(exact));
        }
}

/* Whatever the effect, and however many people: they are too large rather than too small. */
static void shown_numbers_remain_valid(void **state)
{
        for (int i = 0; i < 22; i++) {
                double n = 10 * pow(1.7, i);
                for (int k = 0; k <= 43; k++) {
                        double z = -8 + k * 0.37;
                        struct stats_estimate a = {n, 1, 0.7}, b = {n, 1 + z * sqrt(1.4 / n), 0.7};
                        struct stats_effect exact = experiment_compare(a, b);
                        double step = suppress_step(z < 0 ? 1 : 5, n, MIN);
                        struct shown_effect shown = experiment_show(a, b, step, MIN);

                        assert_true(shown.low <= exact.low && shown.high >= exact.high);
                        assert_true(shown.p >= exact.p * 0.99 && shown.p <= 1);
                        assert_true(fabs(shown.better - 0.5) <= fabs(stats_bayes(a, b, 0).better - 0.5) + 0.005);
                }
        }
}

/* 1,000 people did it once or not at all; then one of them does it very often. */
static void nobody_changes_a_mean_by_much_of_a_step(void **state)
{
        for (int i = 0; i < 22; i++) {
                double often = pow(1.9, i), before = 0.49, after = before + often / 1000;
                double step = suppress_step(fmax(1 + often - after, after), 1000, MIN);

                assert_true(fabs(suppress_round(after, step) - suppress_round(before, step)) <= step * 1.0001);
                assert_true(after - before <= step / MIN * 1.01);
        }
}

/* Rounding down alone makes a difference of up to min - 1 people. */
static void rounded_groups_of_equal_size_raise_no_alarm(void **state)
{
        assert_true(suppress_srm((const double[]){50, 100}, 2, 50) > 0.9); /* 99 and 100 */
        assert_true(suppress_srm((const double[]){100, 150, 100}, 3, 50) > 0.8);
        assert_true(suppress_srm((const double[]){1000, 1000}, 2, MIN) == 1);
        assert_true(suppress_srm((const double[]){40, 160}, 2, MIN) < 1e-9);
        assert_true(suppress_srm((const double[]){100, 100, 250}, 3, 50) < 0.001);
        assert_true(suppress_srm((const double[]){0, 0}, 2, MIN) == 1);
}

int main(void)
{
        const struct CMUnitTest tests[] = {
            cmocka_unit_test(small_groups_are_withheld),
            cmocka_unit_test(no_difference_reveals_a_small_group),
            cmocka_unit_test(all_groupings_are_suppressed_correctly),
            cmocka_unit_test(steps_are_the_change_by_enough_people),
            cmocka_unit_test(numbers_are_rounded_to_multiples_of_a_step),
            cmocka_unit_test(one_person_more_or_less_makes_no_visible_difference),
            cmocka_unit_test(an_effect_without_one_person_is_the_same),
            cmocka_unit_test(shown_numbers_remain_valid),
            cmocka_unit_test(nobody_changes_a_mean_by_much_of_a_step),
            cmocka_unit_test(rounded_groups_of_equal_size_raise_no_alarm),
        };

        return cmocka_run_group_tests(tests, NULL, NULL);
}
