/* How hours are grouped until they have enough people. */
#ifndef SERVICES_ANALYTICS_SPANS_H
#define SERVICES_ANALYTICS_SPANS_H

#include <stddef.h>
#include <stdint.h>
#include "base/arena.h"

struct span_hour {
        int64_t from_ms;
        int64_t people;   /* different ones, in this hour */
        const char *some; /* the ids of `min` of them, or of all, apart by commas */
};

struct span {
        int64_t from_ms, to_ms;
};

#define SPAN_HOUR_MS INT64_C(3600000)

/* Ascending hours into spans of min different people or more: each as short as that
 * allows, none overlapping. How many; hours behind the last one have too few. out has room for n. */
size_t spans_of(struct arena *arena, const struct span_hour *hours, size_t n, int64_t min, struct span *out);

#endif
