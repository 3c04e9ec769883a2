/* Time zones as people name them ("Europe/Berlin"), from the system's tzdata (RFC 9636). Zones are read once and kept;
 * all here may be called by any thread. */
#ifndef BASE_ZONE_H
#define BASE_ZONE_H

#include <stdint.h>
#include "base/civil.h"

struct zone;

#define ZONE_NAME_MAX 64

/* NULL: the system knows none of this name. What it knows it keeps until the process ends. */
const struct zone *zone_find(const char *name);

struct zone_time {
        int64_t days;     /* of the local date, since 1970-01-01 */
        int32_t second;   /* of the local day, 0 to 86399 */
        int32_t offset_s; /* what local clocks are ahead of UTC */
};

/* What clocks there show at an instant. */
struct zone_time zone_local(const struct zone *zone, int64_t utc_s);
/* The instant at which clocks there show a time of a day: the first, when they are set back and show it twice; that of
 * the change, when they are set forward and never show it. */
int64_t zone_instant(const struct zone *zone, int64_t days, int32_t second);

#endif
