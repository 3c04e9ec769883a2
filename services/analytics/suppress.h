/* Which groups of an answer are withheld, so that nobody in a small group can be identified: neither by what is
 * shown, nor by the difference between a total and what is shown. */
#ifndef SERVICES_ANALYTICS_SUPPRESS_H
#define SERVICES_ANALYTICS_SUPPRESS_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

/* Of n groups that make a total: hidden[i] is set for those of fewer than min people (0 people hide nothing), and then
 * for the smallest of the others until those that are hidden are at least two, and at least min people together. */
void suppress_small(const int64_t *people, size_t n, int64_t min, bool *hidden);

/* ---- Numbers that are measured, like means ----
 * An exact mean gives away how many people it is of, and two of nearly the same people what one of them did. */

/* What min people of n change a mean by, each by one standard deviation: rounded up to 1, 2 or 5 times a power of ten,
 * so that the step itself tells nothing. 0 where all are alike. */
double suppress_step(double sd, double n, int64_t min);
/* To the next multiple of the step; with step 0 unchanged. */
double suppress_round(double value, double step);
double suppress_round_down(double value, double step);
double suppress_round_up(double value, double step);
/* To two significant digits, upwards: for p, which is 0 to 1. */
double suppress_round_p(double p);

#endif
