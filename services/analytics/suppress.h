/* Suppression: which groups of an answer are withheld, so that nobody in a small group can be identified, neither by
 * the groups shown nor by their difference from a total. */
#ifndef SERVICES_ANALYTICS_SUPPRESS_H
#define SERVICES_ANALYTICS_SUPPRESS_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

/* For n groups with a total: sets hidden[i] for groups with fewer than min people (except empty ones), and then for the
 * smallest others until at least two groups are hidden, with at least min people together. */
void suppress_small(const int64_t *people, size_t n, int64_t min, bool *hidden);

/* ---- Measured numbers, such as means ----
 *
 * An exact mean may reveal the number of people, and two means of nearly the same people what one of them did. */

/* How much min of n people change a mean if each is at this distance from it, rounded up to 1, 2 or 5 times a power of
 * ten so that the step itself reveals little. 0 if all are equal. With the distance of the furthest person, one person
 * changes the mean by at most 1/min of a step. */
double suppress_step(double distance, double n, int64_t min);
/* Rounds to the nearest multiple of the step; unchanged if step is 0. */
double suppress_round(double value, double step);
double suppress_round_down(double value, double step);
double suppress_round_up(double value, double step);
/* Rounds up to two significant digits; for p, which is 0 to 1. */
double suppress_round_p(double p);
/* stats_srm of groups of equal shares, from numbers of people rounded down to a multiple of min: each group is taken to
 * be as close to the mean as its number allows, so that rounding raises no alarm. n ≤ SUPPRESS_GROUPS_MAX. */
#define SUPPRESS_GROUPS_MAX 10
double suppress_srm(const double *rounded, size_t n, int64_t min);

#endif
