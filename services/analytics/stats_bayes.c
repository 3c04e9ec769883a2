/* Owns posteriors. */
#include "services/analytics/stats.h"

#include <math.h>

struct stats_posterior stats_bayes(struct stats_estimate control, struct stats_estimate treatment, double prior_sd)
{
        double variance = (control.n > 0 ? control.variance / control.n : 0) +
                          (treatment.n > 0 ? treatment.variance / treatment.n : 0);
        double mean = treatment.mean - control.mean;

        if (variance <= 0) {
                return (struct stats_posterior){0.5, -INFINITY, INFINITY, 0};
        }
        if (prior_sd > 0) {
                double weight = prior_sd * prior_sd / (prior_sd * prior_sd + variance);

                mean *= weight;
                variance *= weight;
        }
        double sd = sqrt(variance), z = mean / sd;

        return (struct stats_posterior){
            .better = stats_normal_cdf(z),
            .low = mean - 1.959963984540054 * sd,
            .high = mean + 1.959963984540054 * sd,
            .loss = sd * exp(-z * z / 2) / sqrt(2 * M_PI) - mean * stats_normal_cdf(-z), /* E[max(0, -D)] */
        };
}

static double log_beta(double a, double b)
{
        return lgamma(a) + lgamma(b) - lgamma(a + b);
}

double stats_beta_better(double n_a, double successes_a, double n_b, double successes_b)
{
        double a1 = successes_a + 1, b1 = n_a - successes_a + 1, a2 = successes_b + 1, b2 = n_b - successes_b + 1;
        double sum = 0;

        for (int64_t n = 0; (double)n < a2; n++) {
                double i = (double)n;

                sum += exp(log_beta(a1 + i, b1 + b2) - log(b2 + i) - log_beta(1 + i, b2) - log_beta(a1, b1));
        }
        return sum;
}
