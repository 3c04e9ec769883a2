/* Owns the quiet hours that members set. */
#include "services/notification/notification.h"

#include <ctype.h>
#include <string.h>
#include "base/zone.h"
#include "services/notification/store.h"

enum { ALL_DAYS = 127 };

static char *time_of(struct arena *arena, int64_t minute)
{
        return arena_printf(arena, "%02d:%02d", (int)(minute / 60), (int)(minute % 60));
}

static bool is_number(const char *two_digits, int less_than)
{
        return isdigit((unsigned char)two_digits[0]) && isdigit((unsigned char)two_digits[1]) &&
               (two_digits[0] - '0') * 10 + (two_digits[1] - '0') < less_than;
}

static bool is_time(const char *time)
{
        return strlen(time) == 5 && is_number(time, 24) && time[2] == ':' && is_number(time + 3, 60);
}

/* Of a time that is_time. */
static int64_t minute_of(const char *time)
{
        return ((time[0] - '0') * 10 + (time[1] - '0')) * 60 + (time[3] - '0') * 10 + (time[4] - '0');
}

static Notification__QuietWindow *show_window(struct arena *arena, const NotificationRows__Choices *choices, size_t i)
{
        Notification__QuietWindow *out = ARENA_NEW(arena, Notification__QuietWindow);

        notification__quiet_window__init(out);
        out->days = ARENA_ARRAY(arena, uint32_t, 7);
        for (uint32_t day = 0; day < 7; day++) {
                if ((choices->quiet_days[i] & (1 << day)) != 0) {
                        out->days[out->n_days++] = day;
                }
        }
        out->from = time_of(arena, choices->quiet_from[i]);
        out->until = time_of(arena, choices->quiet_until[i]);
        return out;
}

static void show_quiet_hours(struct arena *arena, const NotificationRows__Choices *choices,
                             Notification__QuietHours *out)
{
        out->time_zone = choices->time_zone;
        out->windows = ARENA_ARRAY(arena, Notification__QuietWindow *, choices->n_quiet_days);
        for (size_t i = 0; i < choices->n_quiet_days; i++) {
                out->windows[out->n_windows++] = show_window(arena, choices, i);
        }
        out->except = choices->loud;
        out->n_except = choices->n_loud;
}

sn_status notification_handle_get_quiet_hours(struct rpc_call *c, const Notification__GetQuietHoursRequest *in,
                                              Notification__QuietHours *out)
{
        char *id = (char *)c->actor;
        NotificationRows__Choices **rows = NULL;
        size_t n = 0;

        TRY(DB_READ(c, tx, store_choices(tx, &id, 1, &n, &rows)));
        if (n > 0) {
                show_quiet_hours(c->arena, rows[0], out);
        }
        return SN_OK;
}

static sn_status check_time(struct rpc_call *c, const char *time, size_t i, const char *field)
{
        return is_time(time) ? SN_OK
                             : rpc_fail(c, SN_INVALID_ARGUMENT, arena_printf(c->arena, "windows[%zu].%s", i, field),
                                        "must be a time of day like \"22:00\"");
}

static sn_status check_quiet_hours(struct rpc_call *c, const Notification__QuietHours *in)
{
        enum notification_type type;

        if (in->time_zone[0] != '\0' && zone_find(in->time_zone) == NULL) {
                return rpc_fail(c, SN_INVALID_ARGUMENT, "time_zone",
                                "is not a time zone of the IANA database; give one like Europe/Berlin or UTC");
        }
        for (size_t i = 0; i < in->n_except; i++) {
                if (!type_find(in->except[i], &type)) {
                        return rpc_fail(c, SN_INVALID_ARGUMENT, "except", "has an unknown type %s; types are %s",
                                        in->except[i], type_names());
                }
        }
        for (size_t i = 0; i < in->n_windows; i++) {
                TRY(check_time(c, in->windows[i]->from, i, "from"));
                TRY(check_time(c, in->windows[i]->until, i, "until"));
        }
        return SN_OK;
}

static int64_t days_of(const Notification__QuietWindow *window)
{
        int64_t days = window->n_days == 0 ? ALL_DAYS : 0;

        for (size_t i = 0; i < window->n_days; i++) {
                days |= 1 << window->days[i];
        }
        return days;
}

sn_status notification_handle_set_quiet_hours(struct rpc_call *c, const Notification__QuietHours *in,
                                              Notification__QuietHours *out)
{
        NotificationRows__Choices choices = NOTIFICATION_ROWS__CHOICES__INIT;
        size_t n = in->n_windows;

        TRY(check_quiet_hours(c, in));
        choices.user_id = (char *)c->actor;
        choices.time_zone = in->time_zone;
        choices.n_quiet_days = choices.n_quiet_from = choices.n_quiet_until = n;
        choices.quiet_days = ARENA_ARRAY(c->arena, int64_t, n);
        choices.quiet_from = ARENA_ARRAY(c->arena, int64_t, n);
        choices.quiet_until = ARENA_ARRAY(c->arena, int64_t, n);
        for (size_t i = 0; i < n; i++) {
                choices.quiet_days[i] = days_of(in->windows[i]);
                choices.quiet_from[i] = minute_of(in->windows[i]->from);
                choices.quiet_until[i] = minute_of(in->windows[i]->until);
        }
        choices.loud = in->except;
        choices.n_loud = in->n_except;
        show_quiet_hours(c->arena, &choices, out);
        return DB_WRITE(c, tx, store_set_quiet_hours(tx, &choices));
}
