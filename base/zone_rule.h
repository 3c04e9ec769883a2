/* The rule for times after the last change in a time zone's file: POSIX's TZ variable, as extended by RFC 9636,
 * 3.3.1. Private to base/. */
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

/* The empty text is not a rule. False if the rule is malformed. */
bool zone_rule_read(struct str text, struct zone_rule *out);
int32_t zone_rule_offset(const struct zone_rule *rule, int64_t utc_s);

#endif
