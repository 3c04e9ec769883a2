/* Owns the arithmetic of quiet hours and digests. */
#include "services/notification/quiet.h"

enum { LONGEST_DAYS = 8, MONDAY = 1, HOUR_S = 3600 };

/* The end of the window that began on the given local day if now_s is within it, otherwise now_s. */
static int64_t window_end(const struct quiet_hours *q, const struct quiet_window *w, int64_t days, int64_t now_s)
{

        if ((w->days & (1 << civil_weekday(days))) == 0) {
                return now_s;
        }
        int64_t start_s = zone_instant(q->zone, days, w->from_m * 60);
        int64_t end_s = zone_instant(q->zone, days + (w->until_m <= w->from_m), w->until_m * 60);
        return start_s <= now_s && now_s < end_s ? end_s : now_s;
}

/* The latest end among the windows that contain now_s, which began today or yesterday. */
static int64_t latest_end(const struct quiet_hours *q, int64_t now_s)
{
        int64_t today = zone_local(q->zone, now_s).days, latest_s = now_s;

        for (size_t i = 0; i < q->n; i++) {
                for (int64_t day = today - 1; day <= today; day++) {
                        int64_t end_s = window_end(q, &q->windows[i], day, now_s);

                        latest_s = end_s > latest_s ? end_s : latest_s;
                }
        }
        return latest_s;
}

int64_t quiet_until(const struct quiet_hours *q, int64_t now_s)
{
        int64_t at_s = now_s, end_s = latest_end(q, now_s);

        while (end_s > at_s && end_s < now_s + LONGEST_DAYS * INT64_C(86400)) {
                at_s = end_s;
                end_s = latest_end(q, at_s);
        }
        return end_s;
}

/* A second step is needed where clocks are changed by half an hour. */
static int64_t full_hour_after(const struct zone *zone, int64_t now_s)
{
        int64_t at_s = now_s + HOUR_S - zone_local(zone, now_s).second % HOUR_S;
        int32_t beyond_s = zone_local(zone, at_s).second % HOUR_S;

        return beyond_s == 0 ? at_s : at_s + HOUR_S - beyond_s;
}

int64_t digest_after(const struct zone *zone, enum digest_every every, int hour, int64_t now_s)
{
        struct zone_time now = zone_local(zone, now_s);
        int64_t day = now.days, at_s;

        if (every == DIGEST_HOURLY) {
                return full_hour_after(zone, now_s);
        }
        while (every == DIGEST_WEEKLY && civil_weekday(day) != MONDAY) {
                day++;
        }
        at_s = zone_instant(zone, day, hour * HOUR_S);
        return at_s > now_s ? at_s : zone_instant(zone, day + (every == DIGEST_WEEKLY ? 7 : 1), hour * HOUR_S);
}
