/* Owns the distributions. */
#include "services/analytics/stats.h"

#include <math.h>

double stats_normal_cdf(double z)
{
        return 0.5 * erfc(-z / M_SQRT2);
}

/* Acklam's rational approximation (relative error 1.15e-9) as a start. */
static double quantile_start(double p)
{
        static const double a[] = {-3.969683028665376e+01, 2.209460984245205e+02,  -2.759285104469687e+02,
                                   1.383577518672690e+02,  -3.066479806614716e+01, 2.506628277459239e+00};
        static const double b[] = {-5.447609879822406e+01, 1.615858368580409e+02, -1.556989798598866e+02,
                                   6.680131188771972e+01, -1.328068155288572e+01};
        static const double c[] = {-7.784894002430293e-03, -3.223964580411365e-01, -2.400758277161838e+00,
                                   -2.549732539343734e+00, 4.374664141464968e+00,  2.938163982698783e+00};
        static const double d[] = {7.784695709041462e-03, 3.224671290700398e-01, 2.445134137142996e+00,
                                   3.754408661907416e+00};

        if (p < 0.02425 || p > 1 - 0.02425) {
                double q = sqrt(-2 * log(p < 0.5 ? p : 1 - p));
                double z = (((((c[0] * q + c[1]) * q + c[2]) * q + c[3]) * q + c[4]) * q + c[5]) /
                           ((((d[0] * q + d[1]) * q + d[2]) * q + d[3]) * q + 1);

                return p < 0.5 ? z : -z;
        }
        double q = p - 0.5, r = q * q;

        return (((((a[0] * r + a[1]) * r + a[2]) * r + a[3]) * r + a[4]) * r + a[5]) * q /
               (((((b[0] * r + b[1]) * r + b[2]) * r + b[3]) * r + b[4]) * r + 1);
}

/* Halley's step, twice: to the precision of erfc. */
double stats_normal_quantile(double p)
{
        double z = quantile_start(p);

        for (int i = 0; i < 2; i++) {
                double e = stats_normal_cdf(z) - p;
                double u = e * sqrt(2 * M_PI) * exp(z * z / 2);

                z -= u / (1 + z * u / 2);
        }
        return z;
}

/* The regularised incomplete gamma function Q(a, x): by the series of P below the mean, by Lentz's continued fraction
 * above it (DLMF 8.11, 8.9). */
static double gamma_upper(double a, double x)
{
        double scale = exp(-x + a * log(x) - lgamma(a));

        if (x < a + 1) {
                double term = 1 / a, sum = term;

                for (double k = a + 1; term > sum * 1e-16; k++) {
                        term *= x / k;
                        sum += term;
                }
                return 1 - sum * scale;
        }
        double b = x + 1 - a, c = 1e300, d = 1 / b, h = d;

        for (int i = 1; i < 10000; i++) {
                double an = -i * (i - a);

                b += 2;
                d = 1 / (an * d + b);
                c = b + an / c;
                h *= d * c;
                if (fabs(d * c - 1) < 1e-15) {
                        break;
                }
        }
        return scale * h;
}

double stats_chi_square_upper(double x, double df)
{
        return x <= 0 ? 1 : gamma_upper(df / 2, x / 2);
}

/* The continued fraction of the incomplete beta function (DLMF 8.17.22), by Lentz. */
static double beta_fraction(double a, double b, double x)
{
        double c = 1, d = 1 / (1 - (a + b) * x / (a + 1)), h = d;

        for (int m = 1; m < 10000; m++) {
                double even = m * (b - m) * x / ((a + 2 * m - 1) * (a + 2 * m));
                double odd = -(a + m) * (a + b + m) * x / ((a + 2 * m) * (a + 2 * m + 1));

                d = 1 / (1 + even * d);
                c = 1 + even / c;
                h *= d * c;
                d = 1 / (1 + odd * d);
                c = 1 + odd / c;
                h *= d * c;
                if (fabs(d * c - 1) < 1e-15) {
                        break;
                }
        }
        return h;
}

static double beta_lower(double a, double b, double x)
{
        double scale = exp(lgamma(a + b) - lgamma(a) - lgamma(b) + a * log(x) + b * log1p(-x));

        return x < (a + 1) / (a + b + 2) ? scale * beta_fraction(a, b, x) / a
                                         : 1 - scale * beta_fraction(b, a, 1 - x) / b;
}

double stats_t_two_sided(double t, double df)
{
        return t == 0 ? 1 : beta_lower(df / 2, 0.5, df / (df + t * t));
}
