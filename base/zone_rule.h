/* The rule that holds after the last change of a time zone's file: the TZ variable of POSIX, as RFC 9636, 3.3.1 extends
 * it. Private to base/. */
#ifndef BASE_ZONE_RULE_H
#define BASE_ZONE_RULE_H

#include <stdbool.h>
#include <stdint.h>
#include "base/str.h"

/* A day of each year, and a second of it, which may lie days before and after. */
struct zone_day {
        enum { ZONE_DAY_JULIAN, ZONE_DAY_OF_YEAR, ZONE_DAY_OF_WEEK } kind;
        int month, week, day;
        int32_t second;
};

struct zone_rule {
        bool there;
        bool has_summer;
        int32_t standard_s, summer_s; /* ahead of UTC */
        struct zone_day start, end;   /* of summer */
};

/* The empty text is no rule. False: it is none that is known. */
bool zone_rule_read(struct str text, struct zone_rule *out);
int32_t zone_rule_offset(const struct zone_rule *rule, int64_t utc_s);

#endif
