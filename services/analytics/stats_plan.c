/* Owns planning an experiment (size, power), and checks of its results as a whole. */
#include "services/analytics/stats.h"

#include <math.h>

double stats_srm(const double *counts, const double *shares, size_t n)
{
        double total = 0, share = 0, chi = 0;

        for (size_t i = 0; i < n; i++) {
                total += counts[i];
                share += shares[i];
        }
        for (size_t i = 0; i < n && total > 0; i++) {
                double expected = total * shares[i] / share;

                chi += (counts[i] - expected) * (counts[i] - expected) / expected;
        }
        return stats_chi_square_upper(chi, (double)n - 1);
}

double stats_sample_size(double variance, double effect, double alpha, double power)
{
        double z = stats_normal_quantile(1 - alpha / 2) + stats_normal_quantile(power);

        return ceil(2 * variance * z * z / (effect * effect));
}

double stats_power(double variance, double effect, double alpha, double n)
{
        double shift = fabs(effect) / sqrt(2 * variance / n), z = stats_normal_quantile(1 - alpha / 2);

        return stats_normal_cdf(shift - z) + stats_normal_cdf(-shift - z);
}

/* Indices by ascending p. An insertion sort, since there are few. */
static void order(const double *p, size_t n, size_t *index)
{
        for (size_t i = 0; i < n; i++) {
                size_t at = i;

                for (; at > 0 && p[index[at - 1]] > p[i]; at--) {
                        index[at] = index[at - 1];
                }
                index[at] = i;
        }
}

void stats_holm(const double *p, size_t n, double *adjusted)
{
        size_t index[STATS_METRICS_MAX];
        double most = 0;

        order(p, n, index);
        for (size_t i = 0; i < n; i++) {
                most = fmax(most, fmin(1, (double)(n - i) * p[index[i]]));
                adjusted[index[i]] = most;
        }
}

void stats_benjamini_hochberg(const double *p, size_t n, double *adjusted)
{
        size_t index[STATS_METRICS_MAX];
        double least = 1;

        order(p, n, index);
        for (size_t i = n; i-- > 0;) {
                least = fmin(least, (double)n / (double)(i + 1) * p[index[i]]);
                adjusted[index[i]] = least;
        }
}
