/* Quiet hours and the times of digests: converts local times of day to instants. Pure functions. */
#ifndef SERVICES_NOTIFICATION_QUIET_H
#define SERVICES_NOTIFICATION_QUIET_H

#include <stddef.h>
#include <stdint.h>
#include "base/zone.h"

#define QUIET_WINDOWS_MAX 14

/* From one minute of the day until another, which is on the next day if it is not later than the first. */
struct quiet_window {
        int days;            /* days on which it begins: bit 0 is Sunday */
        int from_m, until_m; /* minutes of the day, 0 to 1439 */
};

struct quiet_hours {
        const struct zone *zone;
        struct quiet_window windows[QUIET_WINDOWS_MAX];
        size_t n;
};

/* The end of the quiet hours in wall-clock seconds, or now_s outside them. Adjacent windows are merged. If all hours
 * are quiet, the end is at most eight days away. */
int64_t quiet_until(const struct quiet_hours *quiet, int64_t now_s);

enum digest_every { DIGEST_HOURLY, DIGEST_DAILY, DIGEST_WEEKLY };
/* The next digest after now_s: at a full hour, at the given hour of a day, or at that hour on a Monday. */
int64_t digest_after(const struct zone *zone, enum digest_every every, int hour, int64_t now_s);

#endif
