/* Reads timestamps strictly: RFC 3339, section 5.6, without leap seconds (PostgreSQL has none
 * either). */
#include "json/rfc3339.h"

static bool two_digits(struct str *s, int least, int most, int *out)
{
        if (s->len < 2 || s->ptr[0] < '0' || s->ptr[0] > '9' || s->ptr[1] < '0' || s->ptr[1] > '9') {
                return false;
        }
        *out = (s->ptr[0] - '0') * 10 + s->ptr[1] - '0';
        *s = (struct str){s->ptr + 2, s->len - 2};
        return *out >= least && *out <= most;
}

static bool one_of(struct str *s, char a, char b)
{
        if (s->len == 0 || (s->ptr[0] != a && s->ptr[0] != b)) {
                return false;
        }
        *s = (struct str){s->ptr + 1, s->len - 1};
        return true;
}

static int days_in_month(int year, int month)
{
        static const int days[] = {31, 28, 31, 30, 31, 30, 31, 31, 30, 31, 30, 31};
        bool leap = (year % 4 == 0 && year % 100 != 0) || year % 400 == 0;
        return month == 2 && leap ? 29 : days[month - 1];
}

/* Days since 1970-01-01 in the Gregorian calendar, counting years from March so that the leap day comes last. */
static int64_t days_from_civil(int year, int month, int day)
{
        int64_t y = year - (month <= 2);
        int64_t era = y / 400; /* y is not negative */
        int64_t year_of_era = y - era * 400;
        int64_t day_of_year = (153 * (month > 2 ? month - 3 : month + 9) + 2) / 5 + day - 1;
        return era * 146097 + year_of_era * 365 + year_of_era / 4 - year_of_era / 100 + day_of_year - 719468;
}

static bool parse_date(struct str *s, int64_t *days)
{
        int century, year, month, day;
        if (!two_digits(s, 0, 99, &century) || !two_digits(s, 0, 99, &year) || !one_of(s, '-', '-') ||
            !two_digits(s, 1, 12, &month) || !one_of(s, '-', '-')) {
                return false;
        }
        year += century * 100;
        if (year == 0 || !two_digits(s, 1, days_in_month(year, month), &day)) {
                return false;
        }
        *days = days_from_civil(year, month, day);
        return true;
}

/* ".678": missing is zero. */
static bool parse_fraction(struct str *s, int32_t *nanos)
{
        *nanos = 0;
        if (!one_of(s, '.', '.')) {
                return true;
        }
        int digits = 0;
        for (; s->len > 0 && s->ptr[0] >= '0' && s->ptr[0] <= '9'; s->ptr++, s->len--) {
                if (++digits > 9) {
                        return false;
                }
                *nanos = *nanos * 10 + (s->ptr[0] - '0');
        }
        for (int i = digits; i < 9; i++) {
                *nanos *= 10;
        }
        return digits > 0;
}

static bool parse_offset(struct str *s, int64_t *seconds)
{
        *seconds = 0;
        if (one_of(s, 'Z', 'z')) {
                return true;
        }
        int sign = s->len > 0 && s->ptr[0] == '-' ? -1 : 1;
        int hours, minutes;
        if (!one_of(s, '+', '-') || !two_digits(s, 0, 23, &hours) || !one_of(s, ':', ':') ||
            !two_digits(s, 0, 59, &minutes)) {
                return false;
        }
        *seconds = sign * (hours * 3600 + minutes * 60);
        return true;
}

bool rfc3339_parse(struct str text, int64_t *seconds, int32_t *nanos)
{
        int64_t days, offset;
        int32_t fraction;
        int hour, minute, second;
        if (!parse_date(&text, &days) || !one_of(&text, 'T', 't') || !two_digits(&text, 0, 23, &hour) ||
            !one_of(&text, ':', ':') || !two_digits(&text, 0, 59, &minute) || !one_of(&text, ':', ':') ||
            !two_digits(&text, 0, 59, &second) || !parse_fraction(&text, &fraction) || !parse_offset(&text, &offset) ||
            text.len > 0) {
                return false;
        }
        int64_t result = days * 86400 + hour * 3600 + minute * 60 + second - offset;
        if (result < -62135596800 || result > 253402300799) {
                return false;
        }
        *seconds = result;
        *nanos = fraction;
        return true;
}
