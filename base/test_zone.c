/* Local times in every time zone of the system equal the C library's, around each transition and far beyond the last,
 * and each local time has its instant. */
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <setjmp.h>
#include <cmocka.h>
#include <ftw.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>

#include "base/zone.h"

#define ZONES "/usr/share/zoneinfo/"

enum {
        FROM_S = -2000000000, /* 1906 */
        STEP_S = 7 * 86400 + 1,
        MAX_ZONES = 1000,
};

static char names[MAX_ZONES][ZONE_NAME_MAX + 1];
static size_t n_names;

static int take_file(const char *path, const struct stat *info, int kind, struct FTW *place)
{
        const char *name = path + strlen(ZONES);
        if (kind == FTW_F && strlen(name) <= ZONE_NAME_MAX && zone_find(name) != NULL && n_names < MAX_ZONES) {
                (void)snprintf(names[n_names++], sizeof(names[0]), "%s", name);
        }
        return 0;
}

static int find_names(void **state)
{
        return nftw(ZONES, take_file, 8, FTW_PHYS);
}

static int32_t offset_of_libc(int64_t utc_s)
{
        struct tm tm;
        time_t t = utc_s;
        assert_non_null(localtime_r(&t, &tm));
        return (int32_t)tm.tm_gmtoff;
}

static void use_libc(const char *name)
{
        setenv("TZ", name, 1); /* the C library reads the same files */
        tzset();
}

static void is_as_libc_says(const char *name, const struct zone *zone, int64_t utc_s)
{
        struct zone_time ours = zone_local(zone, utc_s);
        int32_t theirs = offset_of_libc(utc_s);
        if (ours.offset_s != theirs) {
                fail_msg("%s at %lld: %d, and libc says %d", name, (long long)utc_s, ours.offset_s, theirs);
        }
        assert_int_equal(ours.days * 86400 + ours.second, utc_s + theirs);
}

/* The instant of a local time is the first with that time; for a skipped time, the transition. */
static void has_its_instant(const char *name, const struct zone *zone, int64_t local_s)
{
        int64_t days = local_s / 86400 - (local_s % 86400 < 0 ? 1 : 0);
        int64_t found = zone_instant(zone, days, (int32_t)(local_s - days * 86400));
        int64_t shown = found + zone_local(zone, found).offset_s,
                before = found - 1 + zone_local(zone, found - 1).offset_s;
        if (shown < local_s || (shown > local_s && before >= local_s)) {
                fail_msg("%s: %lld is at %lld, which shows %lld, after %lld", name, (long long)local_s,
                         (long long)found, (long long)shown, (long long)before);
        }
        for (int64_t earlier = found - 7200; shown == local_s && earlier < found; earlier += 900) {
                assert_true(earlier + zone_local(zone, earlier).offset_s != local_s);
        }
}

static void look_around(const char *name, const struct zone *zone, int64_t low, int64_t high)
{
        int32_t before = offset_of_libc(low);
        while (high - low > 1) {
                int64_t middle = low + (high - low) / 2;
                if (offset_of_libc(middle) == before) {
                        low = middle;
                } else {
                        high = middle;
                }
        }
        is_as_libc_says(name, zone, low);
        is_as_libc_says(name, zone, high);
        for (int64_t s = -10800; low > 0 && s <= 10800; s += 900) { /* transitions before 1970 were irregular */
                has_its_instant(name, zone, high + before + s);
        }
}

static void walk(const char *name)
{
        const struct zone *zone = zone_find(name);
        use_libc(name);
        int32_t last = offset_of_libc(FROM_S);
        for (int64_t s = FROM_S; s < INT64_C(4800000000); s += STEP_S) { /* 2122 */
                int32_t now = offset_of_libc(s);
                if (now != last) {
                        look_around(name, zone, s - STEP_S, s);
                }
                last = now;
                is_as_libc_says(name, zone, s);
        }
}

static void local_times_in_every_zone_match_the_c_library(void **state)
{
        assert_true(n_names > 300);
        for (size_t i = 0; i < n_names; i++) {
                walk(names[i]);
        }
}

static int64_t berlin(int year, int month, int day, int hour, int minute)
{
        const struct zone *zone = zone_find("Europe/Berlin");
        assert_non_null(zone);
        return zone_instant(zone, civil_to_days((struct civil){year, month, day}), hour * 3600 + minute * 60);
}

static void an_ambiguous_time_is_the_first_and_a_skipped_one_is_the_change(void **state)
{
        assert_int_equal(berlin(2026, 3, 29, 1, 59), 1774745940);
        assert_int_equal(berlin(2026, 3, 29, 2, 0), 1774746000);
        assert_int_equal(berlin(2026, 3, 29, 2, 30), 1774746000);
        assert_int_equal(berlin(2026, 3, 29, 3, 0), 1774746000);
        assert_int_equal(berlin(2026, 10, 25, 2, 30), 1792888200); /* still summer */
        assert_int_equal(berlin(2026, 10, 25, 3, 0), 1792893600);
        assert_int_equal(berlin(2100, 7, 1, 12, 0), 4118119200); /* by the rule */
}

static void invalid_zones_are_not_found(void **state)
{
        static const char *const bad[] = {
            "",
            "Europe",
            "Europe/Nowhere",
            "../../../etc/passwd",
            "/etc/localtime",
            "Europe/../UTC",
            "tzdata.zi",
            "right/Europe/Berlin",
            "posix/Europe/Berlin",
            "europe/berlin",
            "zone.tab",
            "UTC\n",
            "Factory/",
            "Europe//Berlin",
            "Aaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaa"};
        for (size_t i = 0; i < sizeof(bad) / sizeof(bad[0]); i++) {
                assert_null(zone_find(bad[i]));
        }
        assert_ptr_equal(zone_find("Asia/Kathmandu"), zone_find("Asia/Kathmandu"));
}

int main(void)
{
        const struct CMUnitTest tests[] = {
            cmocka_unit_test(local_times_in_every_zone_match_the_c_library),
            cmocka_unit_test(an_ambiguous_time_is_the_first_and_a_skipped_one_is_the_change),
            cmocka_unit_test(invalid_zones_are_not_found),
        };
        return cmocka_run_group_tests_name("zone", tests, find_names, NULL);
}
