/* Owns estimates of one variant. */
#include "services/analytics/stats.h"

#include <math.h>

#define Z_95 1.959963984540054

/* Of a sample, from its sums; 0 of fewer than two. */
static double covariance(double n, double x, double y, double xy)
{
        return n < 2 ? 0 : (xy - x * y / n) / (n - 1);
}

static double at_least_0(double variance)
{
        return variance > 0 ? variance : 0; /* rounding */
}

struct stats_estimate stats_mean(const struct stats_sums *s)
{
        if (s->n <= 0) {
                return (struct stats_estimate){0};
        }
        return (struct stats_estimate){s->n, s->y / s->n, at_least_0(covariance(s->n, s->y, s->y, s->yy))};
}

struct stats_estimate stats_proportion(double n, double successes)
{
        double p = n > 0 ? successes / n : 0;

        return (struct stats_estimate){n, p, p * (1 - p)};
}

struct stats_estimate stats_ratio(const struct stats_sums *s)
{
        if (s->n <= 0 || s->x == 0) {
                return (struct stats_estimate){.n = s->n};
        }
        double ratio = s->y / s->x, mean_x = s->x / s->n;
        double variance = covariance(s->n, s->y, s->y, s->yy) - 2 * ratio * covariance(s->n, s->x, s->y, s->xy) +
                          ratio * ratio * covariance(s->n, s->x, s->x, s->xx);

        return (struct stats_estimate){s->n, ratio, at_least_0(variance) / (mean_x * mean_x)};
}

double stats_cuped_theta(const struct stats_sums *a, const struct stats_sums *b)
{
        double var =
            (a->n - 1) * covariance(a->n, a->x, a->x, a->xx) + (b->n - 1) * covariance(b->n, b->x, b->x, b->xx);
        double cov =
            (a->n - 1) * covariance(a->n, a->x, a->y, a->xy) + (b->n - 1) * covariance(b->n, b->x, b->y, b->xy);

        return var > 0 ? cov / var : 0;
}

struct stats_estimate stats_cuped(const struct stats_sums *s, double theta, double mean_x)
{
        struct stats_estimate plain = stats_mean(s);

        if (s->n <= 0) {
                return plain;
        }
        plain.mean -= theta * (s->x / s->n - mean_x);
        plain.variance = at_least_0(plain.variance - 2 * theta * covariance(s->n, s->x, s->y, s->xy) +
                                    theta * theta * covariance(s->n, s->x, s->x, s->xx));
        return plain;
}

static double rank_within(double rank, double n)
{
        return rank < 1 ? 1 : rank > n ? n : rank;
}

struct stats_ranks stats_quantile_ranks(double n, double q)
{
        double half = Z_95 * sqrt(n * q * (1 - q));

        return (struct stats_ranks){rank_within(floor(n * q - half), n), rank_within(ceil(n * q), n),
                                    rank_within(ceil(n * q + half) + 1, n)};
}

struct stats_estimate stats_quantile(const double *sorted, size_t n, double q)
{
        struct stats_ranks r = stats_quantile_ranks((double)n, q);
        double error = (sorted[(size_t)r.high - 1] - sorted[(size_t)r.low - 1]) / (2 * Z_95);

        return (struct stats_estimate){(double)n, sorted[(size_t)r.value - 1], error * error * (double)n};
}
