/* Counts in years that begin in March, so that the leap day comes last, and in eras of 400 years, which are all alike.
 */
#include "base/civil.h"

enum { DAYS_OF_ERA = 146097, DAYS_TO_1970 = 719468 /* since 0000-03-01 */ };

static int64_t floor_div(int64_t a, int64_t b)
{
        return a / b - (a % b < 0 ? 1 : 0);
}

struct civil civil_of_days(int64_t days)
{
        int64_t since_era = days + DAYS_TO_1970;
        int64_t era = floor_div(since_era, DAYS_OF_ERA);
        int64_t of_era = since_era - era * DAYS_OF_ERA;
        int64_t year_of_era = (of_era - of_era / 1460 + of_era / 36524 - of_era / 146096) / 365;
        int64_t of_year = of_era - (365 * year_of_era + year_of_era / 4 - year_of_era / 100);
        int64_t march_month = (5 * of_year + 2) / 153;
        struct civil date = {.day = (int)(of_year - (153 * march_month + 2) / 5 + 1),
                             .month = (int)(march_month < 10 ? march_month + 3 : march_month - 9)};
        date.year = (int)(era * 400 + year_of_era + (date.month <= 2 ? 1 : 0));
        return date;
}

int64_t civil_to_days(struct civil date)
{
        int64_t year = date.year - (date.month <= 2 ? 1 : 0);
        int64_t era = floor_div(year, 400);
        int64_t year_of_era = year - era * 400;
        int64_t march_month = date.month > 2 ? date.month - 3 : date.month + 9;
        int64_t of_year = (153 * march_month + 2) / 5 + date.day - 1;
        return era * DAYS_OF_ERA + year_of_era * 365 + year_of_era / 4 - year_of_era / 100 + of_year - DAYS_TO_1970;
}

int civil_weekday(int64_t days)
{
        int64_t of_week = (days + 4) % 7; /* 1970 began with a Thursday */
        return (int)(of_week < 0 ? of_week + 7 : of_week);
}
