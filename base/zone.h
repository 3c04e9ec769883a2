/* Time zones by name ("Europe/Berlin"), from the system's tzdata (RFC 9636). Zones are read once and cached; any
 * thread. */
#ifndef BASE_ZONE_H
#define BASE_ZONE_H

#include <stdint.h>
#include "base/civil.h"

struct zone;

#define ZONE_NAME_MAX 64

/* NULL if the system does not know this zone. Zones are never freed. */
const struct zone *zone_find(const char *name);

struct zone_time {
        int64_t days;     /* of the local date, since 1970-01-01 */
        int32_t second;   /* of the local day, 0 to 86399 */
        int32_t offset_s; /* what local clocks are ahead of UTC */
};

/* The local time at an instant. */
struct zone_time zone_local(const struct zone *zone, int64_t utc_s);
/* The instant of a local time: the first one if clocks are set back and show it twice; the change if they are set
 * forward and skip it. */
int64_t zone_instant(const struct zone *zone, int64_t days, int32_t second);

#endif
