/* Owns primary and complementary suppression, and rounding measured numbers. */
#include "services/analytics/suppress.h"

#include <math.h>
#include <stdio.h>
#include <stdlib.h>
#include "services/analytics/stats.h"

static void count_hidden(const int64_t *people, size_t n, const bool *hidden, size_t *groups, int64_t *sum)
{
        *groups = 0;
        *sum = 0;
        for (size_t i = 0; i < n; i++) {
                *groups += hidden[i] ? 1 : 0;
                *sum += hidden[i] ? people[i] : 0;
        }
}

/* n if all are hidden. */
static size_t smallest_shown(const int64_t *people, size_t n, const bool *hidden)
{
        size_t found = n;

        for (size_t i = 0; i < n; i++) {
                if (!hidden[i] && people[i] > 0 && (found == n || people[i] < people[found])) {
                        found = i;
                }
        }
        return found;
}

void suppress_small(const int64_t *people, size_t n, int64_t min, bool *hidden)
{
        size_t groups = 0, next = 0;
        int64_t sum = 0;

        for (size_t i = 0; i < n; i++) {
                hidden[i] = people[i] > 0 && people[i] < min;
        }
        count_hidden(people, n, hidden, &groups, &sum);
        while (groups > 0 && (groups < 2 || sum < min) && (next = smallest_shown(people, n, hidden)) < n) {
                hidden[next] = true;
                count_hidden(people, n, hidden, &groups, &sum);
        }
}

double suppress_step(double distance, double n, int64_t min)
{
        double least = n > 0 ? distance * (double)min / n : 0;

        if (!(least > 0)) {
                return 0;
        }
        double power = pow(10, floor(log10(least)));

        return power * (least <= power ? 1 : least <= 2 * power ? 2 : least <= 5 * power ? 5 : 10);
}

/* Multiples of the step may not be exact doubles; returns the nearest to the decimal number. */
static double tidy(double value)
{
        char text[32];

        (void)snprintf(text, sizeof(text), "%.14g", value);
        return strtod(text, NULL);
}

double suppress_round(double value, double step)
{
        return step > 0 ? tidy(round(value / step) * step) : value;
}

double suppress_round_down(double value, double step)
{
        return step > 0 ? tidy(floor(value / step) * step) : value;
}

double suppress_round_up(double value, double step)
{
        return step > 0 ? tidy(ceil(value / step) * step) : value;
}

double suppress_round_p(double p)
{
        return p > 0 ? fmin(1, suppress_round_up(p, pow(10, floor(log10(p)) - 1))) : 0;
}

double suppress_srm(const double *rounded, size_t n, int64_t min)
{
        double counts[SUPPRESS_GROUPS_MAX], shares[SUPPRESS_GROUPS_MAX], mean = 0, most = (double)min - 1;

        for (size_t i = 0; i < n; i++) {
                mean += (rounded[i] + most / 2) / (double)n;
        }
        for (size_t i = 0; i < n; i++) {
                counts[i] = fmin(fmax(mean, rounded[i]), rounded[i] + most);
                shares[i] = 1;
        }
        return stats_srm(counts, shares, n);
}
