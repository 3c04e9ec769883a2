/* The statistics of experiments against published numbers, and against what they promise: in simulations with a fixed
 * seed. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <cmocka.h>
#include <math.h>
#include "services/analytics/stats.h"

static void assert_near(double is, double wanted, double tolerance)
{
        if (!(fabs(is - wanted) <= tolerance)) {
                fail_msg("%.12g is not %.12g within %g", is, wanted, tolerance);
        }
}

/* ---- Published numbers ---- */

/* Tables of NIST's handbook, in more digits. */
static void distributions_match_published_tables(void **state)
{
        assert_near(stats_normal_cdf(1.959963984540054), 0.975, 1e-12);
        assert_near(stats_normal_quantile(0.975), 1.959963984540054, 1e-12);
        assert_near(stats_normal_quantile(0.5), 0, 1e-12);
        assert_near(stats_normal_quantile(1e-6), -4.753424308822899, 1e-9);
        assert_near(stats_chi_square_upper(3.841458820694124, 1), 0.05, 1e-11);
        assert_near(stats_chi_square_upper(18.307038053275146, 10), 0.05, 1e-11);
        assert_near(stats_t_two_sided(2.2281388519649385, 10), 0.05, 1e-11);
        assert_near(stats_t_two_sided(12.706204736432095, 1), 0.05, 1e-11);
        assert_near(stats_t_two_sided(-1.959963984540054, 1e9), 0.05,
                    1e-7); /* the continued fraction is only that precise there */
}

/* The case of GrowthBook's TestTwoSidedTTest: 3407 and 3461 people. */
static void welch_matches_growthbooks_published_values(void **state)
{
        struct stats_effect e = stats_welch((struct stats_estimate){3407, 0.41, 3.9 * 3.9},
                                            (struct stats_estimate){3461, 0.7, 6.2 * 6.2}, 0.05);

        assert_near(e.difference, 0.29, 1e-12);
        assert_near(e.low, 0.04538, 5e-6);
        assert_near(e.high, 0.53462, 5e-6);
        assert_near(e.p, 0.02016, 5e-6);
}

/* Student (1908), additional hours of sleep by two soporifics, as R's documentation of t.test has it: few people, so
 * that the degrees of freedom, 17.776, matter. */
static void welch_is_as_in_students_example(void **state)
{
        struct stats_effect e =
            stats_welch((struct stats_estimate){10, 2.33, 4.009}, (struct stats_estimate){10, 0.75, 28.805 / 9}, 0.05);

        assert_near(e.difference, -1.58, 1e-12);
        assert_near(e.low, -3.3654832, 5e-7);
        assert_near(e.high, 0.2054832, 5e-7);
        assert_near(e.p, 0.07939, 5e-6);
}

/* Fifteen tests of a trial of thrombolysis: the example of Benjamini and Hochberg (1995), where their procedure finds
 * four and Bonferroni's three. */
static void many_metrics_are_adjusted_as_in_the_paper(void **state)
{
        static const double p[15] = {0.0001, 0.0004, 0.0019, 0.0095, 0.0201, 0.0278, 0.0298, 0.0344,
                                     0.0459, 0.3240, 0.4262, 0.5719, 0.6528, 0.7590, 1.0000};
        double holm[15], bh[15];
        int found_holm = 0, found_bh = 0;

        stats_holm(p, 15, holm);
        stats_benjamini_hochberg(p, 15, bh);
        for (size_t i = 0; i < 15; i++) {
                found_holm += holm[i] <= 0.05 ? 1 : 0;
                found_bh += bh[i] <= 0.05 ? 1 : 0;
        }
        assert_int_equal(found_bh, 4);
        assert_int_equal(found_holm, 3);
        assert_near(bh[3], 0.0095 * 15 / 4, 1e-12);
        assert_near(holm[2], 0.0019 * 13, 1e-12);
        stats_holm((const double[]){0.04, 0.01, 0.03}, 3, holm); /* in no order */
        assert_near(holm[0], 0.06, 1e-12);
        assert_near(holm[1], 0.03, 1e-12);
        assert_near(holm[2], 0.06, 1e-12);
}

/* Kohavi, Tang and Xu, "Trustworthy Online Controlled Experiments", chapters 3 and 21. */
static void the_ratio_of_samples_is_checked(void **state)
{
        assert_near(stats_srm((const double[]){821588, 815482}, (const double[]){1, 1}, 2), 1.8e-6, 0.05e-6);
        assert_true(stats_srm((const double[]){5000, 5100}, (const double[]){1, 1}, 2) > 0.3);
        assert_near(stats_srm((const double[]){100, 300}, (const double[]){0.25, 0.75}, 2), 1, 1e-12);
        assert_true(stats_srm((const double[]){100, 100, 200}, (const double[]){1, 1, 1}, 3) < 1e-8);
}

/* Cohen's small effect, 0.2 standard deviations: 393 of each by the normal distribution. */
static void plans_have_the_sizes_of_the_literature(void **state)
{
        assert_near(stats_sample_size(1, 0.2, 0.05, 0.8), 393, 0);
        assert_near(stats_sample_size(1, 0.5, 0.05, 0.8), 63, 0);
        assert_near(stats_power(1, 0.2, 0.05, 393), 0.8, 0.001);
        assert_near(stats_power(1, 0, 0.05, 100), 0.05, 1e-9);
}

/* Beta(1 + 0, 1 + 1) against Beta(1 + 1, 1 + 0): ∫ 2b · (1 - (1 - b)²) ... = 5/6. */
static void posteriors_are_exact_where_they_can_be(void **state)
{
        assert_near(stats_beta_better(1, 0, 1, 1), 5.0 / 6, 1e-12);
        assert_near(stats_beta_better(100, 10, 100, 10), 0.5, 1e-10);
        struct stats_posterior b = stats_bayes(stats_proportion(10000, 1000), stats_proportion(10000, 1080), 0);

        assert_near(b.better, stats_beta_better(10000, 1000, 10000, 1080), 0.001);
        struct stats_posterior shrunk =
            stats_bayes(stats_proportion(10000, 1000), stats_proportion(10000, 1080), 0.004);

        assert_true(shrunk.better < b.better && shrunk.high - shrunk.low < b.high - b.low);
        assert_near(stats_bayes((struct stats_estimate){100, 0, 1}, (struct stats_estimate){100, 0, 1}, 0).loss,
                    sqrt(0.02) / sqrt(2 * M_PI), 1e-12);
}

static void a_sequence_is_narrowest_where_it_was_tuned_to_be(void **state)
{
        struct stats_estimate e = {500, 0, 1};
        double best = INFINITY, rho = stats_tune_rho(1000, 0.05);

        for (int i = -110; i < 110; i++) { /* from a third of it to three times as much */
                best = fmin(best, stats_sequential(e, e, 0.05, rho * pow(1.01, i)).high);
        }
        assert_true(stats_sequential(e, e, 0.05, rho).high <= best * 1.0003); /* the equation is an approximation */
        /* p and the interval agree: 0 is outside exactly when p < alpha. */
        for (int d = 0; d < 500; d++) {
                struct stats_effect at = stats_sequential(e, (struct stats_estimate){500, d / 1000.0, 1}, 0.05, rho);

                assert_int_equal(at.low > 0, at.p < 0.05);
        }
}

/* ---- Simulations ---- */

static uint64_t seed;

static double uniform(void) /* splitmix64; never 0 */
{
        uint64_t z = (seed += UINT64_C(0x9e3779b97f4a7c15));

        z = (z ^ (z >> 30)) * UINT64_C(0xbf58476d1ce4e5b9);
        z = (z ^ (z >> 27)) * UINT64_C(0x94d049bb133111eb);
        return ((double)((z ^ (z >> 31)) >> 11) + 0.5) / 9007199254740992.0;
}

static double exponential(void)
{
        return -log(uniform());
}

static double normal(void)
{
        return sqrt(2 * exponential()) * cos(2 * M_PI * uniform());
}

static void add(struct stats_sums *s, double y, double x)
{
        s->n++;
        s->y += y;
        s->yy += y * y;
        s->x += x;
        s->xx += x * x;
        s->xy += x * y;
}

enum { RUNS = 2000, DAYS = 28, A_DAY = 100 };

/* Without any difference, looked at every day, ended at the first finding; what is measured is skewed as real metrics
 * are. */
static void daily_peeking_finds_no_false_effects(void **state)
{
        int welch = 0, sequential = 0;
        double rho = stats_tune_rho(DAYS * A_DAY, 0.05);

        seed = 20261127;
        for (int run = 0; run < RUNS; run++) {
                struct stats_sums a = {0}, b = {0};
                bool found_welch = false, found_sequential = false;

                for (int day = 0; day < DAYS; day++) {
                        for (int i = 0; i < A_DAY; i++) {
                                add(&a, exponential(), 0);
                                add(&b, exponential(), 0);
                        }
                        found_welch = found_welch || stats_welch(stats_mean(&a), stats_mean(&b), 0.05).p < 0.05;
                        found_sequential =
                            found_sequential || stats_sequential(stats_mean(&a), stats_mean(&b), 0.05, rho).p < 0.05;
                }
                welch += found_welch ? 1 : 0;
                sequential += found_sequential ? 1 : 0;
        }
        printf("A/A with daily peeking, %d runs: %.1f %% found something by the t-test, %.1f %% by the sequence\n",
               RUNS, welch * 100.0 / RUNS, sequential * 100.0 / RUNS);
        assert_true(sequential <= RUNS * 0.05);
        assert_true(welch > RUNS * 0.2);
}

/* 95 % intervals hold the truth in 95 % of the runs: by four standard errors of 2,000 runs, ±1.95 %. */
static void assert_covered(const char *what, int covered)
{
        printf("%s: %.1f %% of intervals hold the truth\n", what, covered * 100.0 / RUNS);
        assert_near((double)covered / RUNS, 0.95, 0.0195);
}

/* People with different numbers of page views, each of which is a click or not; views of the same person are
 * correlated. */
static struct stats_sums ratio_sample(double shift)
{
        struct stats_sums s = {0};

        for (int i = 0; i < 400; i++) {
                double rate = 0.2 + 0.2 * uniform() + shift, views = 1 + floor(exponential() * 5), clicks = 0;

                for (int v = 0; v < (int)views; v++) {
                        clicks += uniform() < rate ? 1 : 0;
                }
                add(&s, clicks, views);
        }
        return s;
}

static void the_delta_method_covers(void **state)
{
        int covered = 0;

        seed = 7;
        for (int run = 0; run < RUNS; run++) {
                struct stats_sums a = ratio_sample(0), b = ratio_sample(0.05);
                struct stats_effect e = stats_welch(stats_ratio(&a), stats_ratio(&b), 0.05);

                covered += e.low <= 0.05 && 0.05 <= e.high ? 1 : 0;
        }
        assert_covered("ratio", covered);
}

static struct stats_sums correlated_sample(double shift)
{
        struct stats_sums s = {0};

        for (int i = 0; i < 200; i++) {
                double before = normal();

                add(&s, 0.8 * before + 0.6 * normal() + shift, before);
        }
        return s;
}

/* The variance shrinks by the square of the correlation, 0.64 (Deng et al., equation 5). */
static void cuped_covers_and_is_narrower(void **state)
{
        int covered = 0;
        double plain = 0, adjusted = 0;

        seed = 8;
        for (int run = 0; run < RUNS; run++) {
                struct stats_sums a = correlated_sample(0), b = correlated_sample(0.1);
                double theta = stats_cuped_theta(&a, &b), mean_x = (a.x + b.x) / (a.n + b.n);
                struct stats_effect e =
                    stats_welch(stats_cuped(&a, theta, mean_x), stats_cuped(&b, theta, mean_x), 0.05);

                covered += e.low <= 0.1 && 0.1 <= e.high ? 1 : 0;
                adjusted += e.standard_error * e.standard_error;
                plain += pow(stats_welch(stats_mean(&a), stats_mean(&b), 0.05).standard_error, 2);
        }
        assert_covered("CUPED", covered);
        assert_near(adjusted / plain, 1 - 0.64, 0.02);
}

static int by_value(const void *a, const void *b)
{
        return (*(const double *)a > *(const double *)b) - (*(const double *)a < *(const double *)b);
}

static struct stats_estimate quantile_sample(double q)
{
        static double values[500];

        for (int i = 0; i < 500; i++) {
                values[i] = exponential();
        }
        qsort(values, 500, sizeof(values[0]), by_value);
        return stats_quantile(values, 500, q);
}

static void quantiles_cover(void **state)
{
        int covered = 0;

        seed = 9;
        for (int run = 0; run < RUNS; run++) {
                struct stats_effect e = stats_welch(quantile_sample(0.75), quantile_sample(0.75), 0.05);

                covered += e.low <= 0 && 0 <= e.high ? 1 : 0;
        }
        assert_covered("quantile", covered);
}

/* The calculator promises 80 %. */
static void power_matches_the_calculator(void **state)
{
        int found = 0, n = (int)stats_sample_size(1, 0.25, 0.05, 0.8);

        seed = 10;
        for (int run = 0; run < RUNS; run++) {
                struct stats_sums a = {0}, b = {0};

                for (int i = 0; i < n; i++) {
                        add(&a, normal(), 0);
                        add(&b, normal() + 0.25, 0);
                }
                found += stats_welch(stats_mean(&a), stats_mean(&b), 0.05).p < 0.05 ? 1 : 0;
        }
        printf("power with %d people: %.1f %%, promised 80 %%\n", n, found * 100.0 / RUNS);
        assert_near((double)found / RUNS, 0.8, 0.036); /* four standard errors */
}

/* ---- Nothing, or next to nothing ---- */

static void empty_or_constant_samples_have_no_effect(void **state)
{
        struct stats_sums none = {0}, constant = {0};

        for (int i = 0; i < 10; i++) {
                add(&constant, 3, 3);
        }
        assert_near(stats_mean(&none).mean, 0, 0);
        assert_near(stats_ratio(&none).mean, 0, 0);
        assert_near(stats_cuped_theta(&none, &constant), 0, 0);
        assert_near(stats_proportion(0, 0).mean, 0, 0);
        assert_near(stats_mean(&constant).variance, 0, 0);
        assert_near(stats_welch(stats_mean(&none), stats_mean(&constant), 0.05).p, 1, 0);
        assert_near(stats_sequential(stats_mean(&constant), stats_mean(&constant), 0.05, 1).p, 1, 0);
        assert_near(stats_bayes(stats_mean(&none), stats_mean(&none), 0).better, 0.5, 0);
        assert_near(stats_quantile((const double[]){4}, 1, 0.5).mean, 4, 0);
}

int main(void)
{
        const struct CMUnitTest tests[] = {
            cmocka_unit_test(distributions_match_published_tables),
            cmocka_unit_test(welch_matches_growthbooks_published_values),
            cmocka_unit_test(welch_is_as_in_students_example),
            cmocka_unit_test(many_metrics_are_adjusted_as_in_the_paper),
            cmocka_unit_test(the_ratio_of_samples_is_checked),
            cmocka_unit_test(plans_have_the_sizes_of_the_literature),
            cmocka_unit_test(posteriors_are_exact_where_they_can_be),
            cmocka_unit_test(a_sequence_is_narrowest_where_it_was_tuned_to_be),
            cmocka_unit_test(daily_peeking_finds_no_false_effects),
            cmocka_unit_test(the_delta_method_covers),
            cmocka_unit_test(cuped_covers_and_is_narrower),
            cmocka_unit_test(quantiles_cover),
            cmocka_unit_test(power_matches_the_calculator),
            cmocka_unit_test(empty_or_constant_samples_have_no_effect),
        };

        return cmocka_run_group_tests(tests, NULL, NULL);
}
