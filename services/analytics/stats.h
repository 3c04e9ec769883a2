/* Statistics of experiments: pure functions of sums, without database, clock or memory of their own. Each says what it
 * follows. */
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

/* Sums over units (people) of what was measured (y), of the denominator of a ratio, or of what was measured of the same
 * people before (x). */
struct stats_sums {
        double n, y, yy, x, xx, xy;
};

struct stats_estimate {
        double n;
        double mean;
        double variance; /* of one unit: that of the estimate is variance / n */
};

struct stats_estimate stats_mean(const struct stats_sums *s);
struct stats_estimate stats_proportion(double n, double successes);
/* sum(y) / sum(x) with the delta method (Deng et al., KDD 2018): people are the units, not what is divided by. */
struct stats_estimate stats_ratio(const struct stats_sums *s);
/* CUPED (Deng et al., WSDM 2013): the mean of y less theta times what x differs from its mean over both variants. theta
 * is that of both together, so that the two are adjusted alike. */
double stats_cuped_theta(const struct stats_sums *a, const struct stats_sums *b);
struct stats_estimate stats_cuped(const struct stats_sums *s, double theta, double mean_x);
/* The q-quantile of n ascending values of independent people, its variance from the order statistics around it (the
 * binomial interval of Woodruff, 1952). n ≥ 1. */
struct stats_estimate stats_quantile(const double *sorted, size_t n, double q);
/* Which of the n values it uses, from 1 on: the quantile, and the two from which its variance comes. */
struct stats_ranks {
        double low, value, high;
};
struct stats_ranks stats_quantile_ranks(double n, double q);

/* ---- Two variants (stats_compare.c) ---- */

struct stats_effect {
        double difference; /* treatment less control */
        double standard_error;
        double low, high;
        double p; /* two-sided */
};

/* Welch: valid once, at a number of people that was chosen before. */
struct stats_effect stats_welch(struct stats_estimate control, struct stats_estimate treatment, double alpha);
/* Always valid: the probability that low..high ever misses the difference, at however many looks, is at most alpha
 * (asymptotic confidence sequences: Waudby-Smith et al., Annals of Statistics 2024, with the normal mixture of
 * Robbins). rho > 0 says where it is narrowest. p is always valid, too: the least alpha whose sequence leaves 0 out. */
struct stats_effect stats_sequential(struct stats_estimate control, struct stats_estimate treatment, double alpha,
                                     double rho);
/* The rho with which it is narrowest at n people of both variants (the same paper, its equation for tuning). */
double stats_tune_rho(double n, double alpha);

/* ---- Posteriors (stats_bayes.c) ---- */

struct stats_posterior {
        double better;    /* P(treatment > control) */
        double low, high; /* 95 % of the difference */
        double loss;      /* expected, of choosing the treatment where the control is better */
};

/* The normal posterior of the difference, with a flat prior (prior_sd 0) or a normal one around 0. */
struct stats_posterior stats_bayes(struct stats_estimate control, struct stats_estimate treatment, double prior_sd);
/* P(B > A) of two proportions with Beta(1, 1) priors, exactly (Evan Miller's sum); successes_b up to some millions. */
double stats_beta_better(double n_a, double successes_a, double n_b, double successes_b);

/* ---- Plans and checks (stats_plan.c) ---- */

/* Sample-ratio check: p of Pearson's chi-square against the shares that were planned (they need not sum up to 1). */
double stats_srm(const double *counts, const double *shares, size_t n);
/* People of each variant for a two-sided test, where a unit has this variance. */
double stats_sample_size(double variance, double effect, double alpha, double power);
/* And the power with so many. */
double stats_power(double variance, double effect, double alpha, double n);
/* Adjusted p, in the order given: Holm (1979) bounds the chance of any false finding, Benjamini and Hochberg (1995) the
 * expected share of false ones among the findings. n ≤ STATS_METRICS_MAX. */
#define STATS_METRICS_MAX 100
void stats_holm(const double *p, size_t n, double *adjusted);
void stats_benjamini_hochberg(const double *p, size_t n, double *adjusted);

#endif
