/* Grouping hours into spans with enough people. */
#ifndef SERVICES_ANALYTICS_SPANS_H
#define SERVICES_ANALYTICS_SPANS_H

#include <stddef.h>
#include <stdint.h>
#include "base/arena.h"

struct span_hour {
        int64_t from_ms;
        int64_t people;   /* distinct people in this hour */
        const char *some; /* the ids of `min` of them (or of all, if fewer), separated by commas */
};

struct span {
        int64_t from_ms, to_ms;
};

#define SPAN_HOUR_MS INT64_C(3600000)

/* Groups ascending hours into the shortest consecutive spans with at least min distinct people. Returns their number;
 * the hours after the last span have too few people. out has room for n. */
size_t spans_of(struct arena *arena, const struct span_hour *hours, size_t n, int64_t min, struct span *out);

#endif
