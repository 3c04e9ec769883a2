/* Dates of the Gregorian calendar as days since 1970-01-01, in both directions, for the years 0 to 9999. gmtime_r is
 * not used because it takes a process-wide lock in the C library. */
#ifndef BASE_CIVIL_H
#define BASE_CIVIL_H

#include <stdint.h>

struct civil {
        int year, month, day; /* month and day from 1 */
};

struct civil civil_of_days(int64_t days);
int64_t civil_to_days(struct civil date);
int civil_weekday(int64_t days); /* 0: Sunday */

#endif
