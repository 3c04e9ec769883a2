/* Sketches against exact answers on numbers that are drawn alike at each run: how far off HyperLogLog and t-digest are,
 * also when they were merged, and that they say so. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <math.h>
#include <stdlib.h>
#include <string.h>
#include <cmocka.h>
#include "services/analytics/hll.h"
#include "services/analytics/tdigest.h"

/* SplitMix64. */
static uint64_t draw(uint64_t *state)
{
        uint64_t z = *state += UINT64_C(0x9e3779b97f4a7c15);

        z = (z ^ z >> 30) * UINT64_C(0xbf58476d1ce4e5b9);
        z = (z ^ z >> 27) * UINT64_C(0x94d049bb133111eb);
        return z ^ z >> 31;
}

static double draw_unit(uint64_t *state)
{
        return ((double)(draw(state) >> 11) + 0.5) / 9007199254740992.0;
}

/* ---- HyperLogLog ---- */

/* n different UUIDs of version 4, each of them twice. */
static void add_people(struct hll *hll, uint64_t seed, size_t n)
{
        for (size_t i = 0; i < 2 * n; i++) {
                uint64_t state = seed ^ i % n << 20, halves[2] = {draw(&state), draw(&state)};
                uint8_t uuid[16];

                memcpy(uuid, halves, sizeof(uuid));
                uuid[6] = (uint8_t)(0x40 | (uuid[6] & 0x0f));
                uuid[8] = (uint8_t)(0x80 | (uuid[8] & 0x3f));
                hll_add(hll, hll_hash(uuid));
        }
}

static void distinct_counts_have_the_documented_precision(void **state)
{
        static const size_t sizes[] = {1, 2, 5, 20, 100, 1000, 5000, 10000, 20000, 100000};

        for (size_t s = 0; s < sizeof(sizes) / sizeof(sizes[0]); s++) {
                double squares = 0, worst = 0;

                for (uint64_t seed = 1; seed <= 20; seed++) {
                        struct hll hll = {0};

                        add_people(&hll, seed << 40, sizes[s]);
                        double error = fabs(hll_count(&hll) - (double)sizes[s]) / (double)sizes[s];
                        squares += error * error;
                        worst = fmax(worst, error);
                }
                print_message("%zu people: root mean square error %.2f %%, largest of 20 %.2f %%\n", sizes[s],
                              100 * sqrt(squares / 20), 100 * worst);
                assert_true(sizes[s] < 1000 || sqrt(squares / 20) < 1.3 * HLL_STANDARD_ERROR);
                assert_true(worst < fmax(3.5 * HLL_STANDARD_ERROR, 1.1 / (double)sizes[s]));
        }
}

static void none_and_all_are_handled(void **state)
{
        struct hll none = {0}, full;

        assert_true(hll_count(&none) == 0);
        memset(full.registers, 255, sizeof(full.registers));
        assert_true(isinf(hll_count(&full)) || hll_count(&full) > 1e18);
}

static void merging_equals_adding_everything_to_one(void **state)
{
        struct hll all = {0}, merged = {0};

        for (uint64_t part = 0; part < 5; part++) {
                struct hll one = {0};

                add_people(&one, part << 50, 3000);
                add_people(&one, UINT64_C(99) << 50, 3000); /* people who are in all of them */
                add_people(&all, part << 50, 3000);
                hll_merge(&merged, one.registers);
        }
        add_people(&all, UINT64_C(99) << 50, 3000);
        assert_memory_equal(&all, &merged, sizeof(all));
        assert_true(fabs(hll_count(&merged) - 18000) < 3 * HLL_STANDARD_ERROR * 18000);
}

/* ---- t-digest ---- */

enum { NUMBERS = 30000, PARTS = 30 };

static double uniform(uint64_t *state, size_t i)
{
        return draw_unit(state);
}

static double exponential(uint64_t *state, size_t i)
{
        return -log(draw_unit(state));
}

static double lognormal(uint64_t *state, size_t i)
{
        return exp(2 * sqrt(-2 * log(draw_unit(state))) * cos(2 * M_PI * draw_unit(state)));
}

static double ascending(uint64_t *state, size_t i)
{
        return (double)i;
}

static double descending(uint64_t *state, size_t i)
{
        return -(double)i;
}

static double few_values(uint64_t *state, size_t i)
{
        return (double)(draw(state) % 3);
}

static const struct {
        const char *name;
        double (*next)(uint64_t *state, size_t i);
} kinds[] = {{"uniform", uniform},     {"exponential", exponential}, {"lognormal", lognormal},
             {"ascending", ascending}, {"descending", descending},   {"three values", few_values}};

static int by_value(const void *a, const void *b)
{
        double x = *(const double *)a, y = *(const double *)b;

        return (x > y) - (x < y);
}

/* How far the value's rank is from that of q: several are right where numbers are alike. */
static double rank_error(const double *sorted, double value, double q)
{
        size_t below = 0, upto = 0;

        for (size_t i = 0; i < NUMBERS; i++) {
                below += sorted[i] < value ? 1 : 0;
                upto += sorted[i] <= value ? 1 : 0;
        }
        return fmax(0, fmax((double)below / NUMBERS - q, q - (double)upto / NUMBERS));
}

static void check_quantiles(const char *name, const double *sorted, struct tdigest *digest)
{
        static const double asked[] = {0.001, 0.01, 0.05, 0.25, 0.5, 0.75, 0.95, 0.99, 0.999};
        double worst = 0;

        for (size_t i = 0; i < sizeof(asked) / sizeof(asked[0]); i++) {
                double q = asked[i], bound = 2 * M_PI / TDIGEST_DELTA * sqrt(q * (1 - q));
                double error = rank_error(sorted, tdigest_quantile(digest, q), q);

                worst = fmax(worst, error / bound);
                assert_true(error <= fmax(bound, 1.0 / NUMBERS));
        }
        print_message("%s: at most %.0f %% of the error that is stated\n", name, 100 * worst);
        assert_true(tdigest_quantile(digest, 0) == sorted[0]);
        assert_true(tdigest_quantile(digest, 1) == sorted[NUMBERS - 1]);
        assert_true(tdigest_weight(digest) == NUMBERS);
}

/* As one digest, and as many of a day each that are stored and merged. */
static void quantiles_have_the_documented_precision(void **state)
{
        static double numbers[NUMBERS];

        for (size_t k = 0; k < sizeof(kinds) / sizeof(kinds[0]); k++) {
                struct tdigest whole = {0}, merged = {0}, part = {0};
                uint8_t packed[TDIGEST_MAX_BYTES];
                uint64_t seed = 14;

                for (size_t i = 0; i < NUMBERS; i++) {
                        numbers[i] = kinds[k].next(&seed, i);
                        tdigest_add(&whole, numbers[i]);
                        tdigest_add(&part, numbers[i]);
                        if (i % (NUMBERS / PARTS) == NUMBERS / PARTS - 1) {
                                assert_true(tdigest_merge(&merged, packed, tdigest_pack(&part, packed)));
                                part = (struct tdigest){0};
                        }
                }
                qsort(numbers, NUMBERS, sizeof(numbers[0]), by_value);
                check_quantiles(kinds[k].name, numbers, &whole);
                check_quantiles("merged of thirty", numbers, &merged);
        }
}

static void few_numbers_are_stored_exactly(void **state)
{
        struct tdigest digest = {0}, none = {0};
        uint8_t packed[TDIGEST_MAX_BYTES];

        assert_true(tdigest_quantile(&none, 0.5) == 0 && tdigest_weight(&none) == 0);
        assert_true(tdigest_merge(&digest, packed, tdigest_pack(&none, packed)));
        assert_true(tdigest_weight(&digest) == 0);
        tdigest_add(&digest, 7);
        assert_true(tdigest_quantile(&digest, 0) == 7 && tdigest_quantile(&digest, 0.5) == 7);
        tdigest_add(&digest, -3);
        tdigest_add(&digest, 1);
        assert_true(tdigest_quantile(&digest, 0) == -3 && tdigest_quantile(&digest, 0.5) == 1);
        assert_true(tdigest_quantile(&digest, 1) == 7);
}

static void invalid_digests_change_nothing(void **state)
{
        struct tdigest digest = {0}, other = {0};
        uint8_t packed[TDIGEST_MAX_BYTES];

        tdigest_add(&digest, 1);
        tdigest_add(&other, 2);
        size_t len = tdigest_pack(&other, packed);
        assert_int_equal(len, 32);
        assert_false(tdigest_merge(&digest, packed, 0));
        assert_false(tdigest_merge(&digest, packed, len - 1));
        packed[len - 1] ^= 0x80; /* its weight becomes negative */
        assert_false(tdigest_merge(&digest, packed, len));
        memset(packed + 16, 0xff, 8); /* a mean that is not a number */
        assert_false(tdigest_merge(&digest, packed, len));
        assert_true(tdigest_weight(&digest) == 1 && tdigest_quantile(&digest, 1) == 1);
}

int main(void)
{
        const struct CMUnitTest tests[] = {
            cmocka_unit_test(distinct_counts_have_the_documented_precision),
            cmocka_unit_test(none_and_all_are_handled),
            cmocka_unit_test(merging_equals_adding_everything_to_one),
            cmocka_unit_test(quantiles_have_the_documented_precision),
            cmocka_unit_test(few_numbers_are_stored_exactly),
            cmocka_unit_test(invalid_digests_change_nothing),
        };

        return cmocka_run_group_tests_name("sketches", tests, NULL, NULL);
}
