/* "CET-1CEST,M3.5.0,M10.5.0/3": names, how far behind UTC (not ahead), and when summer begins and ends. */
#include "base/zone_rule.h"

#include <ctype.h>

#include "base/civil.h"

enum { HOUR_S = 3600, DAY_S = 86400, MAX_HOURS = 167, CHANGE_S = 2 * HOUR_S /* when nothing is said */ };

static bool skip_char(struct str *in, char c)
{
        bool there = in->len > 0 && in->ptr[0] == c;
        in->ptr += there;
        in->len -= there;
        return there;
}

static bool read_number(struct str *in, int max, int *out)
{
        size_t n = 0;
        *out = 0;
        for (; n < in->len && n < 4 && isdigit((unsigned char)in->ptr[n]); n++) {
                *out = 10 * *out + (in->ptr[n] - '0');
        }
        in->ptr += n;
        in->len -= n;
        return n > 0 && *out <= max;
}

/* Three letters or more, or anything in angle brackets. It is never shown. */
static bool skip_name(struct str *in)
{
        size_t n = 0;
        if (skip_char(in, '<')) {
                struct str name;
                return str_next(in, '>', &name);
        }
        while (n < in->len && isalpha((unsigned char)in->ptr[n])) {
                n++;
        }
        in->ptr += n;
        in->len -= n;
        return n >= 3;
}

/* [+-]hh[:mm[:ss]] */
static bool read_time(struct str *in, int32_t *out)
{
        int hours, minutes = 0, seconds = 0;
        bool negative = skip_char(in, '-');
        if (!negative) {
                (void)skip_char(in, '+');
        }
        if (!read_number(in, MAX_HOURS, &hours) || (skip_char(in, ':') && !read_number(in, 59, &minutes)) ||
            (skip_char(in, ':') && !read_number(in, 59, &seconds))) {
                return false;
        }
        *out = HOUR_S * hours + 60 * minutes + seconds;
        *out = negative ? -*out : *out;
        return true;
}

static bool read_day(struct str *in, struct zone_day *out)
{
        bool good;
        if (!skip_char(in, ',')) {
                return false;
        }
        if (skip_char(in, 'M')) {
                out->kind = ZONE_DAY_OF_WEEK;
                good = read_number(in, 12, &out->month) && out->month > 0 && skip_char(in, '.') &&
                       read_number(in, 5, &out->week) && out->week > 0 && skip_char(in, '.') &&
                       read_number(in, 6, &out->day);
        } else {
                out->kind = skip_char(in, 'J') ? ZONE_DAY_JULIAN : ZONE_DAY_OF_YEAR;
                good = read_number(in, 365, &out->day);
        }
        out->second = CHANGE_S;
        return good && (!skip_char(in, '/') || read_time(in, &out->second));
}

bool zone_rule_read(struct str text, struct zone_rule *out)
{
        *out = (struct zone_rule){.there = text.len > 0};
        if (!out->there) {
                return true;
        }
        if (!skip_name(&text) || !read_time(&text, &out->standard_s)) {
                return false;
        }
        out->standard_s = -out->standard_s;
        if (text.len == 0) {
                return true;
        }
        out->has_summer = true;
        out->summer_s = out->standard_s + HOUR_S;
        if (!skip_name(&text)) {
                return false;
        }
        if (text.len > 0 && text.ptr[0] != ',') {
                if (!read_time(&text, &out->summer_s)) {
                        return false;
                }
                out->summer_s = -out->summer_s;
        }
        return read_day(&text, &out->start) && read_day(&text, &out->end) && text.len == 0;
}

static bool is_leap(int year)
{
        return (year % 4 == 0 && year % 100 != 0) || year % 400 == 0;
}

/* The nth weekday of a month; the fifth is the last one. */
static int64_t day_of_week(const struct zone_day *day, int year)
{
        int64_t first = civil_to_days((struct civil){year, day->month, 1});
        int64_t found = first + (day->day - civil_weekday(first) + 7) % 7 + (int64_t)7 * (day->week - 1);
        int64_t next_month = civil_to_days((struct civil){day->month < 12 ? year : year + 1, day->month % 12 + 1, 1});
        return found < next_month ? found : found - 7;
}

/* In seconds of local clocks since 1970. */
static int64_t change_time(const struct zone_day *day, int year)
{
        int64_t days = civil_to_days((struct civil){year, 1, 1});
        switch (day->kind) {
        case ZONE_DAY_OF_WEEK:
                days = day_of_week(day, year);
                break;
        case ZONE_DAY_JULIAN: /* from 1 on, and the leap day is not counted */
                days += day->day - 1 + (is_leap(year) && day->day >= 60 ? 1 : 0);
                break;
        case ZONE_DAY_OF_YEAR:
                days += day->day;
                break;
        }
        return days * DAY_S + day->second;
}

int32_t zone_rule_offset(const struct zone_rule *rule, int64_t utc_s)
{
        if (!rule->has_summer) {
                return rule->standard_s;
        }
        int64_t local_s = utc_s + rule->standard_s;
        int year = civil_of_days(local_s / DAY_S - (local_s % DAY_S < 0 ? 1 : 0)).year;
        int64_t start = change_time(&rule->start, year) - rule->standard_s,
                end = change_time(&rule->end, year) - rule->summer_s;
        bool summer = start < end ? utc_s >= start && utc_s < end : utc_s >= start || utc_s < end;
        return summer ? rule->summer_s : rule->standard_s;
}
