/* Quiet hours, and the hours of digests: instants from times of a day as a member's clocks show them. Pure: everything
 * follows from the arguments. */
#ifndef SERVICES_NOTIFICATION_QUIET_H
#define SERVICES_NOTIFICATION_QUIET_H

#include <stddef.h>
#include <stdint.h>
#include "base/zone.h"

#define QUIET_WINDOWS_MAX 14

/* From a minute of a day until another one, which is on the next day when it is not later. */
struct quiet_window {
        int days;            /* on which it begins: bit 0 is Sunday */
        int from_m, until_m; /* minutes of the day, 0 to 1439 */
};

struct quiet_hours {
        const struct zone *zone;
        struct quiet_window windows[QUIET_WINDOWS_MAX];
        size_t n;
};

/* The end of the quiet hours, in wall seconds; now_s itself outside of them. Windows without a gap between them are
 * one. When it is always quiet, the end is eight days away at most. */
int64_t quiet_until(const struct quiet_hours *quiet, int64_t now_s);

enum digest_every { DIGEST_HOURLY, DIGEST_DAILY, DIGEST_WEEKLY };
/* The next digest after now_s: at a full hour, at an hour of the day, at that hour of a Monday. */
int64_t digest_after(const struct zone *zone, enum digest_every every, int hour, int64_t now_s);

#endif
