/* Owns deciding whether, where and when a member is notified. */
#include "services/notification/decide.h"

#include <string.h>

enum told_by { BY_ANYBODY, BY_CHOSEN, BY_ACCOUNT };

static const struct type_row {
        const char *name;
        enum told_setting setting;
        enum told_by by;
        enum delivery push, mailed;
} rows[TYPE_COUNT] = {
#define NOTIFICATION_TYPE(NAME, name, setting, by, push, mailed)                                                       \
        [TYPE_##NAME] = {name, SETTING_##setting, BY_##by, DELIVERY_##push, DELIVERY_##mailed},
#include "services/notification/types.def.h"
#undef NOTIFICATION_TYPE
};

bool type_is_security(enum notification_type type)
{
        return rows[type].setting == SETTING_ALWAYS;
}

bool type_is_own(enum notification_type type)
{
        return rows[type].by == BY_ACCOUNT;
}

const char *type_name(enum notification_type type)
{
        return rows[type].name;
}

const char *type_names(void)
{
        static const char names[] =
#define NOTIFICATION_TYPE(NAME, name, setting, by, push, mailed) ", " name
#include "services/notification/types.def.h"
#undef NOTIFICATION_TYPE
            ;

        return names + sizeof(", ") - 1;
}

bool type_find(const char *name, enum notification_type *out)
{
        for (int i = 0; i < TYPE_COUNT; i++) {
                if (strcmp(rows[i].name, name) == 0) {
                        *out = (enum notification_type)i;
                        return true;
                }
        }
        return false;
}

const char *reason_name(enum reason reason)
{
        static const char *const names[] = {"default", "setting", "preference", "filter", "thread_muted", "security"};

        return names[reason];
}

const char *filter_name(enum filter filter)
{
        static const char *const names[] = {"not_followed", "not_following", "new_account", "private_mention"};

        return names[filter];
}

const char *hold_name(enum hold hold)
{
        static const char *const names[] = {"", "digest", "quiet_hours", "budget"};

        return names[hold];
}

const char *channel_name(enum channel channel)
{
        static const char *const names[] = {"in_app", "push", "email", "sms", "mobile"};

        return names[channel];
}

enum channel preferred_channel(enum channel channel)
{
        return channel == CHANNEL_MOBILE ? CHANNEL_PUSH : channel;
}

static enum delivery default_of(const struct rules *r, enum notification_type type, enum channel channel,
                                enum reason *reason)
{
        *reason = REASON_DEFAULT;
        if (rows[type].setting != SETTING_NONE && (r->settings_off & (1U << rows[type].setting)) != 0) {
                *reason = REASON_SETTING;
                return DELIVERY_OFF;
        }
        if (channel == CHANNEL_EMAIL && r->mailed) {
                *reason = REASON_SETTING;
                return rows[type].mailed;
        }
        return channel == CHANNEL_IN_APP ? DELIVERY_IMMEDIATE
               : channel == CHANNEL_PUSH ? rows[type].push
                                         : DELIVERY_OFF;
}

enum delivery delivery_of(const struct rules *r, enum notification_type type, enum channel channel, enum reason *reason)
{

        channel = preferred_channel(channel);
        enum delivery chosen = (enum delivery)r->preferences[type][channel];
        if (type_is_security(type)) {
                *reason = REASON_SECURITY;
                return channel <= CHANNEL_PUSH ? DELIVERY_IMMEDIATE : DELIVERY_OFF;
        }
        if (chosen == DELIVERY_DEFAULT) {
                return default_of(r, type, channel, reason);
        }
        *reason = REASON_PREFERENCE;
        return chosen;
}

static bool filter_matches(const struct happening *h, enum filter filter)
{
        switch (filter) {
        case FILTER_NOT_FOLLOWED:
                return !h->is_followed;
        case FILTER_NOT_FOLLOWING:
                return !h->is_follower;
        case FILTER_NEW_ACCOUNT:
                return h->is_new && !h->is_followed;
        default:
                return h->is_private && !h->is_followed;
        }
}

/* The strictest of the filters that match. */
static enum filter_action filter_action_of(const struct rules *r, const struct happening *h, enum filter *which)
{
        enum filter_action strictest = FILTER_ACCEPT;

        for (int i = 0; rows[h->type].by == BY_ANYBODY && i < FILTER_COUNT; i++) {
                if (r->filters[i] > strictest && filter_matches(h, (enum filter)i)) {
                        strictest = (enum filter_action)r->filters[i];
                        *which = (enum filter)i;
                }
        }
        return strictest;
}

bool is_loud(const struct rules *rules, enum notification_type type)
{
        return type_is_security(type) || (rules->loud & (1U << type)) != 0;
}

static int64_t quiet_end_ms(const struct rules *r, enum notification_type type, int64_t at_ms)
{
        if (r->quiet.n == 0 || is_loud(r, type)) {
                return at_ms;
        }
        int64_t at_s = at_ms / 1000, end_s = quiet_until(&r->quiet, at_s);

        return end_s > at_s ? end_s * 1000 : at_ms;
}

static struct channel_decision decide_channel(const struct rules *r, const struct happening *h, enum channel channel)
{
        struct channel_decision out = {.due_ms = h->now_ms};
        enum delivery delivery = delivery_of(r, h->type, channel, &out.reason);

        out.told = delivery != DELIVERY_OFF;
        if (!out.told || channel == CHANNEL_IN_APP) {
                return out;
        }
        if (delivery != DELIVERY_IMMEDIATE) {
                out.hold = HOLD_DIGEST;
                out.due_ms = digest_after(r->zone, (enum digest_every)(delivery - DELIVERY_HOURLY), r->digest_hour,
                                          h->now_ms / 1000) *
                             1000;
        }
        int64_t loud_ms = quiet_end_ms(r, h->type, out.due_ms);
        if (loud_ms > out.due_ms) {
                out.hold = HOLD_QUIET_HOURS;
                out.due_ms = loud_ms;
        }
        return out;
}

static enum box box_of(const struct decision *d)
{
        bool elsewhere = false;

        for (int i = CHANNEL_PUSH; i < CHANNEL_COUNT; i++) {
                elsewhere = elsewhere || d->channels[i].told;
        }
        return d->channels[CHANNEL_IN_APP].told ? BOX_INBOX : elsewhere ? BOX_UNLISTED : BOX_NOWHERE;
}

struct decision decide(const struct rules *r, const struct happening *h)
{
        struct decision out = {.box = BOX_NOWHERE, .reason = REASON_THREAD_MUTED};
        enum filter_action action = filter_action_of(r, h, &out.filter);

        if (h->thread_muted) {
                return out;
        }
        for (int i = 0; i < CHANNEL_COUNT; i++) {
                out.channels[i] = decide_channel(r, h, (enum channel)i);
        }
        out.box = box_of(&out);
        out.reason = out.channels[CHANNEL_IN_APP].reason;
        if (action > FILTER_ACCEPT && out.box != BOX_NOWHERE) { /* what would not be listed cannot be requested */
                out.box = action == FILTER_REQUEST && out.box == BOX_INBOX ? BOX_REQUESTS : BOX_NOWHERE;
                out.reason = REASON_FILTER;
                memset(out.channels, 0, sizeof(out.channels));
        }
        return out;
}

/* ---- Release of due deliveries ---- */

struct release release_of(const struct rules *r, enum notification_type type, enum hold hold, bool paid, int64_t now_ms)
{
        int64_t loud_ms = quiet_end_ms(r, type, now_ms);

        if (loud_ms > now_ms) {
                return (struct release){.hold = HOLD_QUIET_HOURS, .due_ms = loud_ms};
        }
        return (struct release){.hold = hold,
                                .due_ms = now_ms,
                                .pays = r->daily_budget > 0 && hold == HOLD_NOTHING && !paid && !is_loud(r, type)};
}

struct release release_over_budget(const struct rules *r, enum notification_type type, int64_t now_ms)
{
        int64_t at_ms = digest_after(r->zone, DIGEST_DAILY, r->digest_hour, now_ms / 1000) * 1000;

        return (struct release){.hold = HOLD_BUDGET, .due_ms = quiet_end_ms(r, type, at_ms)};
}

int64_t budget_day(const struct rules *r, int64_t now_ms)
{
        int64_t now_s = now_ms / 1000, today = zone_local(r->zone, now_s).days;

        return zone_instant(r->zone, today, r->digest_hour * 3600) <= now_s ? today : today - 1;
}
