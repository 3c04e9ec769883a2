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

#endif
