/* Quiet hours and digests in every time zone and across clock changes. */
#include <setjmp.h>
#include <stdarg.h>
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <string.h>
#include <cmocka.h>
#include "services/notification/quiet.h"

#define DAY_S INT64_C(86400)

static int64_t at(const struct zone *zone, int year, int month, int day, int hour, int minute)
{
        return zone_instant(zone, civil_to_days((struct civil){year, month, day}), hour * 3600 + minute * 60);
}

static void a_night_ends_in_the_morning(void **state)
{
        const struct zone *berlin = zone_find("Europe/Berlin");
        struct quiet_hours q = {
            .zone = berlin, .windows = {{.days = 127, .from_m = 22 * 60, .until_m = 7 * 60}}, .n = 1};

        assert_int_equal(quiet_until(&q, at(berlin, 2026, 11, 27, 23, 0)), at(berlin, 2026, 11, 28, 7, 0));
        assert_int_equal(quiet_until(&q, at(berlin, 2026, 11, 28, 6, 59)), at(berlin, 2026, 11, 28, 7, 0));
        assert_int_equal(quiet_until(&q, at(berlin, 2026, 11, 28, 7, 0)), at(berlin, 2026, 11, 28, 7, 0));
        assert_int_equal(quiet_until(&q, at(berlin, 2026, 11, 28, 21, 59)), at(berlin, 2026, 11, 28, 21, 59));
        /* The nights of the clock changes are an hour shorter and longer. */
        assert_int_equal(at(berlin, 2026, 3, 29, 7, 0) - at(berlin, 2026, 3, 28, 22, 0), 8 * 3600);
        assert_int_equal(quiet_until(&q, at(berlin, 2026, 3, 28, 22, 0)), at(berlin, 2026, 3, 29, 7, 0));
        assert_int_equal(at(berlin, 2026, 10, 25, 7, 0) - at(berlin, 2026, 10, 24, 22, 0), 10 * 3600);
        assert_int_equal(quiet_until(&q, at(berlin, 2026, 10, 24, 22, 0)), at(berlin, 2026, 10, 25, 7, 0));
}

static void a_window_begins_on_its_days_only(void **state)
{
        const struct zone *utc = zone_find("UTC");
        /* Friday night and the adjacent Saturday are one window that ends on Sunday. */
        struct quiet_hours q = {.zone = utc,
                                .windows = {{.days = 1 << 5, .from_m = 22 * 60, .until_m = 7 * 60},
                                            {.days = 1 << 6, .from_m = 7 * 60, .until_m = 7 * 60}},
                                .n = 2};

        assert_int_equal(quiet_until(&q, at(utc, 2026, 11, 26, 23, 0)), at(utc, 2026, 11, 26, 23, 0));
        assert_int_equal(quiet_until(&q, at(utc, 2026, 11, 27, 23, 0)), at(utc, 2026, 11, 29, 7, 0));
}

static void permanent_quiet_hours_end_after_eight_days(void **state)
{
        const struct zone *utc = zone_find("UTC");
        struct quiet_hours q = {.zone = utc, .windows = {{.days = 127, .from_m = 0, .until_m = 0}}, .n = 1};
        int64_t now_s = at(utc, 2026, 11, 27, 12, 0), end_s = quiet_until(&q, now_s);

        assert_true(end_s > now_s + 7 * DAY_S && end_s <= now_s + 9 * DAY_S);
}

static void digests_come_at_their_hour(void **state)
{
        const struct zone *kathmandu = zone_find("Asia/Kathmandu"); /* 5:45 ahead of UTC */

        assert_int_equal(digest_after(kathmandu, DIGEST_HOURLY, 8, at(kathmandu, 2026, 11, 27, 9, 30)),
                         at(kathmandu, 2026, 11, 27, 10, 0));
        assert_int_equal(digest_after(kathmandu, DIGEST_DAILY, 8, at(kathmandu, 2026, 11, 27, 7, 59)),
                         at(kathmandu, 2026, 11, 27, 8, 0));
        assert_int_equal(digest_after(kathmandu, DIGEST_DAILY, 8, at(kathmandu, 2026, 11, 27, 8, 0)),
                         at(kathmandu, 2026, 11, 28, 8, 0));
        assert_int_equal(digest_after(kathmandu, DIGEST_WEEKLY, 8, at(kathmandu, 2026, 11, 27, 8, 0)),
                         at(kathmandu, 2026, 11, 30, 8, 0));
        assert_int_equal(digest_after(kathmandu, DIGEST_WEEKLY, 8, at(kathmandu, 2026, 11, 30, 8, 0)),
                         at(kathmandu, 2026, 12, 7, 8, 0));
}

/* ---- Every zone ---- */

/* The slow reference: checks the local time minute by minute. A window across midnight is two, the second of which
 * belongs to the day before. */
static bool clocks_say_quiet(const struct quiet_hours *q, int64_t now_s)
{
        struct zone_time local = zone_local(q->zone, now_s);
        int minute = local.second / 60;

        for (size_t i = 0; i < q->n; i++) {
                const struct quiet_window *w = &q->windows[i];
                bool today = (w->days >> civil_weekday(local.days)) & 1;
                bool yesterday = (w->days >> civil_weekday(local.days - 1)) & 1;
                bool over_midnight = w->until_m <= w->from_m;

                if ((today && minute >= w->from_m && (over_midnight || minute < w->until_m)) ||
                    (yesterday && over_midnight && minute < w->until_m)) {
                        return true;
                }
        }
        return false;
}

/* No clock change within a day of this instant, so local times are unambiguous. */
static bool is_calm(const struct zone *zone, int64_t now_s)
{
        return zone_local(zone, now_s - DAY_S).offset_s == zone_local(zone, now_s + DAY_S).offset_s;
}

static void check_night(const struct quiet_hours *q, int64_t now_s, int64_t *last_end_s)
{
        int64_t end_s = quiet_until(q, now_s);

        assert_true(end_s >= now_s && end_s < now_s + 2 * DAY_S);
        assert_int_equal(quiet_until(q, end_s), end_s); /* the end is outside all windows */
        assert_true(end_s >= *last_end_s);              /* a later event is not due earlier */
        for (int64_t t = now_s; t < end_s; t += 1800) {
                assert_int_equal(quiet_until(q, t), end_s); /* one digest for the whole window */
        }
        if (is_calm(q->zone, now_s)) {
                assert_int_equal(end_s > now_s, clocks_say_quiet(q, now_s));
        }
        *last_end_s = end_s;
}

static void check_zone(const char *name)
{
        static const int dates[][3] = {{2026, 3, 5},  {2026, 3, 26},  {2026, 4, 3},  {2026, 9, 4},
                                       {2026, 10, 1}, {2026, 10, 23}, {2026, 10, 30}};
        const struct zone *zone = zone_find(name);
        struct quiet_hours q = {.zone = zone,
                                .windows = {{.days = 127, .from_m = 23 * 60 + 30, .until_m = 6 * 60 + 15},
                                            {.days = 127, .from_m = 2 * 60 + 30, .until_m = 6 * 60 + 45}},
                                .n = 2};

        assert_non_null(zone);
        for (size_t i = 0; i < sizeof(dates) / sizeof(dates[0]); i++) {
                int64_t start_s = at(zone, dates[i][0], dates[i][1], dates[i][2], 12, 0), last_end_s = 0;

                for (int64_t t = start_s; t < start_s + 5 * DAY_S; t += 5400) {
                        check_night(&q, t, &last_end_s);
                }
        }
}

static void windows_are_correct_in_every_zone_across_clock_changes(void **state)
{
        FILE *list = fopen("/usr/share/zoneinfo/tzdata.zi", "r");
        char line[512], name[ZONE_NAME_MAX + 1];
        int n = 0;

        assert_non_null(list);
        while (fgets(line, sizeof(line), list) != NULL) {
                if (sscanf(line, "Z %64s", name) == 1) {
                        check_zone(name);
                        n++;
                }
        }
        (void)fclose(list);
        assert_true(n > 300);
}

int main(void)
{
        const struct CMUnitTest tests[] = {
            cmocka_unit_test(a_night_ends_in_the_morning),
            cmocka_unit_test(a_window_begins_on_its_days_only),
            cmocka_unit_test(permanent_quiet_hours_end_after_eight_days),
            cmocka_unit_test(digests_come_at_their_hour),
            cmocka_unit_test(windows_are_correct_in_every_zone_across_clock_changes),
        };

        return cmocka_run_group_tests(tests, NULL, NULL);
}
