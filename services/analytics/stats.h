/* Statistics of experiments: pure functions of sums. Each names its source. */
#ifndef SERVICES_ANALYTICS_STATS_H
#define SERVICES_ANALYTICS_STATS_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

/* ---- Distributions (stats_distributions.c) ---- */

double stats_normal_cdf(double z);
double stats_normal_quantile(double p);             /* 0 < p < 1; within 1e-12 */
double stats_chi_square_upper(double x, double df); /* P(X > x); df > 0 */
double stats_t_two_sided(double t, double df);      /* P(|T| > |t|) */

/* ---- Estimates of one variant (stats_estimates.c) ---- */

/* Sums over units (people): y is the measurement; x is the denominator of a ratio, or the measurement of the same
 * people before. */
struct stats_sums {
        double n, y, yy, x, xx, xy;
};

struct stats_estimate {
        double n;
        double mean;
        double variance; /* per unit; the estimate's is variance / n */
};

struct stats_estimate stats_mean(const struct stats_sums *s);
struct stats_estimate stats_proportion(double n, double successes);
/* sum(y) / sum(x) with the delta method (Deng et al., KDD 2018): the units are people, not the denominators. */
struct stats_estimate stats_ratio(const struct stats_sums *s);
/* CUPED (Deng et al., WSDM 2013): the mean of y minus theta times the deviation of x from its mean over both variants.
 * theta is computed from both together, so that they are adjusted equally. */
double stats_cuped_theta(const struct stats_sums *a, const struct stats_sums *b);
struct stats_estimate stats_cuped(const struct stats_sums *s, double theta, double mean_x);
/* The q-quantile of n ascending values of independent people, its variance from the order statistics around it (the
 * binomial interval of Woodruff, 1952). n ≥ 1. */
struct stats_estimate stats_quantile(const double *sorted, size_t n, double q);
/* The indices (from 1) of the values that it uses: the quantile, and the two from which its variance is computed. */
struct stats_ranks {
        double low, value, high;
};
struct stats_ranks stats_quantile_ranks(double n, double q);

/* ---- Two variants (stats_compare.c) ---- */

struct stats_effect {
        double difference; /* treatment minus control */
        double standard_error;
        double low, high;
        double p; /* two-sided */
};

/* Welch's test: valid once, at a number of people chosen in advance. */
struct stats_effect stats_welch(struct stats_estimate control, struct stats_estimate treatment, double alpha);
/* Always valid: the probability that low..high ever misses the difference, however often it is looked at, is at most
 * alpha (asymptotic confidence sequences: Waudby-Smith et al., Annals of Statistics 2024, with the normal mixture of
 * Robbins). rho > 0 determines where it is narrowest. p is always valid, too: the least alpha whose sequence excludes
 * 0. */
struct stats_effect stats_sequential(struct stats_estimate control, struct stats_estimate treatment, double alpha,
                                     double rho);
/* The rho for which it is narrowest at n people in both variants together (tuning equation of the same paper). */
double stats_tune_rho(double n, double alpha);

/* ---- Posteriors (stats_bayes.c) ---- */

struct stats_posterior {
        double better;    /* P(treatment > control) */
        double low, high; /* 95 % of the difference */
        double loss;      /* expected loss of choosing the treatment if the control is better */
};

/* The normal posterior of the difference, with a flat prior (prior_sd 0) or a normal one around 0. */
struct stats_posterior stats_bayes(struct stats_estimate control, struct stats_estimate treatment, double prior_sd);
/* P(B > A) of two proportions with Beta(1, 1) priors, exactly (Evan Miller's sum); successes_b up to some millions. */
double stats_beta_better(double n_a, double successes_a, double n_b, double successes_b);

/* ---- Plans and checks (stats_plan.c) ---- */

/* Sample-ratio check: p of Pearson's chi-square test against the planned shares (which need not sum to 1). */
double stats_srm(const double *counts, const double *shares, size_t n);
/* People per variant for a two-sided test with this variance per unit. */
double stats_sample_size(double variance, double effect, double alpha, double power);
/* The power with n people per variant. */
double stats_power(double variance, double effect, double alpha, double n);
/* Adjusted p, in the order given: Holm (1979) bounds the chance of any false finding, Benjamini and Hochberg (1995) the
 * expected share of false ones among the findings. n ≤ STATS_METRICS_MAX. */
#define STATS_METRICS_MAX 100
void stats_holm(const double *p, size_t n, double *adjusted);
void stats_benjamini_hochberg(const double *p, size_t n, double *adjusted);

#endif
