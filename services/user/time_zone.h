/* Time zones by the names of the IANA database. */
#ifndef SERVICES_USER_TIME_ZONE_H
#define SERVICES_USER_TIME_ZONE_H

#include <stdbool.h>

/* Whether the system knows a time zone of this name (tzdata). The name has no dots: it cannot leave the folder. */
bool time_zone_exists(const char *name);

#endif
