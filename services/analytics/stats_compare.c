/* Owns comparing two variants. */
#include "services/analytics/stats.h"

#include <math.h>

static double squared_error(struct stats_estimate e)
{
        return e.n > 0 ? e.variance / e.n : 0;
}

static struct stats_effect begin_effect(struct stats_estimate control, struct stats_estimate treatment)
{
        struct stats_effect e = {.difference = treatment.mean - control.mean, .p = 1};

        e.standard_error = sqrt(squared_error(control) + squared_error(treatment));
        e.low = -INFINITY;
        e.high = INFINITY;
        return e;
}

/* Degrees of freedom by Welch and Satterthwaite. */
static double degrees(struct stats_estimate a, struct stats_estimate b)
{
        double va = squared_error(a), vb = squared_error(b);

        return (va + vb) * (va + vb) / (va * va / (a.n - 1) + vb * vb / (b.n - 1));
}

/* By bisection, which is fast enough: called once per look, not per event. */
static double t_quantile(double alpha, double df)
{
        double low = 0, high = 1e6;

        for (int i = 0; i < 200; i++) {
                double middle = (low + high) / 2;

                *(stats_t_two_sided(middle, df) > alpha ? &low : &high) = middle;
        }
        return high;
}

struct stats_effect stats_welch(struct stats_estimate control, struct stats_estimate treatment, double alpha)
{
        struct stats_effect e = begin_effect(control, treatment);

        if (control.n < 2 || treatment.n < 2 || e.standard_error == 0) {
                return e;
        }
        double df = degrees(control, treatment), half = t_quantile(alpha, df) * e.standard_error;

        e.low = e.difference - half;
        e.high = e.difference + half;
        e.p = stats_t_two_sided(e.difference / e.standard_error, df);
        return e;
}

double stats_tune_rho(double n, double alpha)
{
        return sqrt((-2 * log(alpha) + log(-2 * log(alpha)) + 1) / n);
}

/* With v = rho² n and z the difference in standard errors, the mixture is a martingale of value
 * exp(z² v / (2 (v + 1))) / sqrt(v + 1), which ever exceeds 1 / alpha with probability alpha at most (Ville). */
struct stats_effect stats_sequential(struct stats_estimate control, struct stats_estimate treatment, double alpha,
                                     double rho)
{
        struct stats_effect e = begin_effect(control, treatment);
        double v = rho * rho * (control.n + treatment.n);

        if (control.n < 2 || treatment.n < 2 || e.standard_error == 0) {
                return e;
        }
        double half = e.standard_error * sqrt((v + 1) / v * (log(v + 1) - 2 * log(alpha)));
        double z = e.difference / e.standard_error;

        e.low = e.difference - half;
        e.high = e.difference + half;
        e.p = fmin(1, exp(0.5 * log(v + 1) - z * z * v / (2 * (v + 1))));
        return e;
}
