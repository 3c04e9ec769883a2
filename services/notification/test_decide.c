/* Decisions: a table of what each rule does, and a hundred thousand random members and events compared with a slow
 * reference that applies one rule at a time. */
#include <setjmp.h>
#include <stdarg.h>
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <cmocka.h>
#include "services/notification/decide.h"

#define NOON_MS INT64_C(1795780800000) /* 2026-11-27 12:00 UTC, a Friday */
#define HOUR_MS INT64_C(3600000)

static struct rules rules_by_default(void)
{
        const struct zone *utc = zone_find("UTC");

        return (struct rules){.zone = utc, .digest_hour = 8, .quiet.zone = utc};
}

static void the_defaults_are_list_and_push(void **state)
{
        struct rules r = rules_by_default();

        for (int type = 0; type < TYPE_COUNT && !type_is_security((enum notification_type)type); type++) {
                struct happening h = {.type = (enum notification_type)type, .now_ms = NOON_MS};
                struct decision d = decide(&r, &h);

                assert_int_equal(d.box, BOX_INBOX);
                assert_int_equal(d.reason, REASON_DEFAULT);
                assert_true(d.channels[CHANNEL_PUSH].told);
                assert_int_equal(d.channels[CHANNEL_PUSH].due_ms, NOON_MS);
                assert_int_equal(d.channels[CHANNEL_PUSH].hold, HOLD_NOTHING);
                assert_false(d.channels[CHANNEL_EMAIL].told);
                assert_false(d.channels[CHANNEL_SMS].told);
        }
}

static void settings_turn_types_off_and_preferences_override_them(void **state)
{
        struct rules r = rules_by_default();
        struct happening like = {.type = TYPE_LIKE, .now_ms = NOON_MS},
                         mention = {.type = TYPE_MENTION, .now_ms = NOON_MS};

        r.settings_off = 1U << SETTING_LIKES;
        struct decision d = decide(&r, &like);
        assert_int_equal(d.box, BOX_NOWHERE);
        assert_int_equal(d.reason, REASON_SETTING);
        assert_int_equal(decide(&r, &mention).box, BOX_INBOX);
        r.preferences[TYPE_LIKE][CHANNEL_PUSH] = DELIVERY_IMMEDIATE;
        d = decide(&r, &like);
        assert_int_equal(d.box, BOX_UNLISTED);
        assert_true(d.channels[CHANNEL_PUSH].told);
        r.preferences[TYPE_LIKE][CHANNEL_IN_APP] = DELIVERY_IMMEDIATE;
        d = decide(&r, &like);
        assert_int_equal(d.box, BOX_INBOX);
        assert_int_equal(d.reason, REASON_PREFERENCE);
}

static void the_mail_setting_uses_each_types_default(void **state)
{
        struct rules r = rules_by_default();
        struct happening like = {.type = TYPE_LIKE, .now_ms = NOON_MS},
                         mention = {.type = TYPE_MENTION, .now_ms = NOON_MS};

        r.mailed = true;
        struct decision d = decide(&r, &mention);
        assert_true(d.channels[CHANNEL_EMAIL].told);
        assert_int_equal(d.channels[CHANNEL_EMAIL].reason, REASON_SETTING);
        assert_int_equal(d.channels[CHANNEL_EMAIL].due_ms, NOON_MS);
        d = decide(&r, &like);
        assert_int_equal(d.channels[CHANNEL_EMAIL].hold, HOLD_DIGEST);
        assert_int_equal(d.channels[CHANNEL_EMAIL].due_ms, NOON_MS + 20 * HOUR_MS);
}

static void the_strictest_filter_that_matches_counts(void **state)
{
        static const struct {
                struct happening h;
                enum box box;
                enum filter filter;
        } cases[] = {
            {{.type = TYPE_MENTION, .is_followed = true, .is_follower = true, .is_new = true, .is_private = true},
             BOX_INBOX,
             0},
            {{.type = TYPE_MENTION, .is_followed = true}, BOX_REQUESTS, FILTER_NOT_FOLLOWING},
            {{.type = TYPE_MENTION, .is_follower = true}, BOX_INBOX, 0},
            {{.type = TYPE_MENTION, .is_follower = true, .is_new = true}, BOX_NOWHERE, FILTER_NEW_ACCOUNT},
            {{.type = TYPE_MENTION, .is_follower = true, .is_private = true}, BOX_REQUESTS, FILTER_PRIVATE_MENTION},
            {{.type = TYPE_LIKE}, BOX_REQUESTS, FILTER_NOT_FOLLOWING},
            {{.type = TYPE_LIKE, .is_new = true}, BOX_NOWHERE, FILTER_NEW_ACCOUNT},
            {{.type = TYPE_NEW_NOTE, .is_new = true}, BOX_INBOX, 0},
            {{.type = TYPE_MENTION, .is_followed = true, .is_follower = true, .thread_muted = true}, BOX_NOWHERE, 0},
        };
        struct rules r = rules_by_default();

        r.filters[FILTER_NOT_FOLLOWING] = FILTER_REQUEST;
        r.filters[FILTER_NEW_ACCOUNT] = FILTER_DROP;
        r.filters[FILTER_PRIVATE_MENTION] = FILTER_REQUEST;
        for (size_t i = 0; i < sizeof(cases) / sizeof(cases[0]); i++) {
                struct happening h = cases[i].h;

                h.now_ms = NOON_MS;
                struct decision d = decide(&r, &h);
                assert_int_equal(d.box, cases[i].box);
                assert_int_equal(d.reason == REASON_FILTER, cases[i].filter != 0);
                if (d.reason == REASON_FILTER) {
                        assert_int_equal(d.filter, cases[i].filter);
                        assert_false(d.channels[CHANNEL_PUSH].told);
                }
        }
}

static void quiet_hours_hold_deliveries_but_not_the_list(void **state)
{
        struct rules r = rules_by_default();
        struct happening h = {.type = TYPE_LIKE, .now_ms = NOON_MS + 11 * HOUR_MS};

        r.quiet.windows[r.quiet.n++] = (struct quiet_window){.days = 127, .from_m = 22 * 60, .until_m = 9 * 60};
        struct decision d = decide(&r, &h);
        assert_int_equal(d.box, BOX_INBOX);
        assert_int_equal(d.channels[CHANNEL_PUSH].hold, HOLD_QUIET_HOURS);
        assert_int_equal(d.channels[CHANNEL_PUSH].due_ms, NOON_MS + 21 * HOUR_MS);
        r.preferences[TYPE_LIKE][CHANNEL_PUSH] = DELIVERY_DAILY; /* the digest at 8 is within quiet hours */
        d = decide(&r, &h);
        assert_int_equal(d.channels[CHANNEL_PUSH].due_ms, NOON_MS + 21 * HOUR_MS);
        r.loud = 1U << TYPE_LIKE;
        d = decide(&r, &h);
        assert_int_equal(d.channels[CHANNEL_PUSH].hold, HOLD_DIGEST);
        assert_int_equal(d.channels[CHANNEL_PUSH].due_ms, NOON_MS + 20 * HOUR_MS);
}

static void security_cannot_be_turned_off_and_passes_quiet_hours(void **state)
{
        struct rules r = rules_by_default();
        struct happening h = {.type = TYPE_PASSWORD_CHANGED, .is_new = true, .now_ms = NOON_MS};

        r.settings_off = ~0U;
        r.preferences[h.type][CHANNEL_IN_APP] = r.preferences[h.type][CHANNEL_PUSH] = DELIVERY_OFF;
        for (int i = 0; i < FILTER_COUNT; i++) {
                r.filters[i] = FILTER_DROP;
        }
        r.quiet.windows[r.quiet.n++] = (struct quiet_window){.days = 127};
        struct decision d = decide(&r, &h);
        assert_int_equal(d.box, BOX_INBOX);
        assert_int_equal(d.reason, REASON_SECURITY);
        assert_true(d.channels[CHANNEL_PUSH].told);
        assert_int_equal(d.channels[CHANNEL_PUSH].hold, HOLD_NOTHING);
        assert_int_equal(d.channels[CHANNEL_PUSH].due_ms, NOON_MS);
}

/* ---- The model ---- */

static uint64_t seed = 20261127;

static int random_rules(int n)
{
        seed = seed * 6364136223846793005U + 1442695040888963407U;
        return (int)((seed >> 33) % (uint64_t)n);
}

static struct rules any_rules(void)
{
        static const char *const zones[] = {"UTC", "Europe/Berlin", "America/St_Johns", "Australia/Lord_Howe",
                                            "Asia/Kathmandu"};
        struct rules r = {
            .zone = zone_find(zones[random_rules(5)]), .digest_hour = random_rules(24), .mailed = random_rules(2) == 0};

        r.quiet.zone = r.zone;
        r.settings_off = random_rules(3) == 0 ? (unsigned)random_rules(64) & ~1U : 0;
        r.loud = random_rules(3) == 0 ? (unsigned)random_rules(1 << TYPE_COUNT) : 0;
        for (int type = 0; type < TYPE_COUNT; type++) {
                for (int channel = 0; channel < CHANNEL_COUNT; channel++) {
                        r.preferences[type][channel] = (uint8_t)random_rules(channel == CHANNEL_IN_APP ? 3 : 6);
                }
        }
        for (int i = 0; random_rules(2) == 0 && i < FILTER_COUNT; i++) {
                r.filters[i] = (uint8_t)random_rules(4);
        }
        for (int n = random_rules(3); n > 0; n--) {
                r.quiet.windows[r.quiet.n++] = (struct quiet_window){
                    .days = random_rules(128), .from_m = random_rules(96) * 15, .until_m = random_rules(96) * 15};
        }
        return r;
}

/* Written from the documentation, one rule at a time. */
static bool is_security_type(int type)
{
        return type >= TYPE_NEW_DEVICE && type <= TYPE_MAIL_BOUNCED;
}

static enum delivery wished(const struct rules *r, int type, int channel)
{
        static const int setting_of[TYPE_COUNT] = {SETTING_LIKES,    SETTING_RENOTES, SETTING_COMMENTS,
                                                   SETTING_MENTIONS, SETTING_FOLLOWS, SETTING_FOLLOWS};
        static const bool at_once[TYPE_COUNT] = {
            [TYPE_COMMENT] = true, [TYPE_MENTION] = true, [TYPE_FOLLOW_REQUEST] = true, [TYPE_REPORT_RESOLVED] = true};

        if (is_security_type(type)) {
                return channel <= CHANNEL_PUSH ? DELIVERY_IMMEDIATE : DELIVERY_OFF;
        }
        if (r->preferences[type][channel] != 0) {
                return (enum delivery)r->preferences[type][channel];
        }
        if (setting_of[type] != SETTING_NONE && (r->settings_off >> setting_of[type]) & 1) {
                return DELIVERY_OFF;
        }
        if (channel <= CHANNEL_PUSH) {
                return DELIVERY_IMMEDIATE;
        }
        if (channel == CHANNEL_SMS || !r->mailed) {
                return DELIVERY_OFF;
        }
        return at_once[type] ? DELIVERY_IMMEDIATE : DELIVERY_DAILY;
}

static bool stopped_by(const struct rules *r, const struct happening *h, int action)
{
        if (h->type >= TYPE_NEW_NOTE && h->type != TYPE_MESSAGE_REQUEST) {
                return false;
        }
        return (r->filters[0] == action && !h->is_followed) || (r->filters[1] == action && !h->is_follower) ||
               (r->filters[2] == action && h->is_new && !h->is_followed) ||
               (r->filters[3] == action && h->is_private && !h->is_followed);
}

static bool quiet_at(const struct rules *r, int64_t now_s)
{
        int64_t today = zone_local(r->zone, now_s).days;

        for (size_t i = 0; i < r->quiet.n; i++) {
                const struct quiet_window *w = &r->quiet.windows[i];

                for (int64_t day = today - 2; day <= today + 1; day++) {
                        int64_t from_s = zone_instant(r->zone, day, w->from_m * 60);
                        int64_t until_s =
                            zone_instant(r->zone, w->until_m > w->from_m ? day : day + 1, w->until_m * 60);

                        if ((w->days >> civil_weekday(day)) & 1 && now_s >= from_s && now_s < until_s) {
                                return true;
                        }
                }
        }
        return false;
}

static bool is_digest_hour(const struct rules *r, enum delivery delivery, int64_t at_s)
{
        struct zone_time local = zone_local(r->zone, at_s);

        if (delivery == DELIVERY_HOURLY) {
                return local.second % 3600 == 0;
        }
        return at_s == zone_instant(r->zone, local.days, r->digest_hour * 3600) &&
               (delivery == DELIVERY_DAILY || civil_weekday(local.days) == 1);
}

/* Walks through time in quarter-hours, at which all windows end. */
static int64_t told_at(const struct rules *r, const struct happening *h, enum delivery delivery)
{
        int64_t at_s = h->now_ms / 1000, limit_s;
        bool loud = is_security_type(h->type) || ((r->loud >> h->type) & 1);

        if (delivery != DELIVERY_IMMEDIATE) {
                for (at_s = at_s / 900 * 900 + 900; !is_digest_hour(r, delivery, at_s); at_s += 900) {
                }
        }
        limit_s = at_s + 8 * 86400;
        if (!loud && quiet_at(r, at_s)) {
                for (at_s = at_s / 900 * 900 + 900; quiet_at(r, at_s) && at_s < limit_s; at_s += 900) {
                }
        }
        return at_s;
}

static void check_channel(const struct rules *r, const struct happening *h, const struct decision *d, int channel)
{
        enum delivery delivery = wished(r, h->type, channel);
        const struct channel_decision *got = &d->channels[channel];
        int64_t expected_s;

        assert_int_equal(got->told, delivery != DELIVERY_OFF);
        if (got->told && channel != CHANNEL_IN_APP) {
                expected_s = told_at(r, h, delivery);
                /* With permanent quiet hours the delivery is due after eight days, give or take the last window. */
                if (expected_s - h->now_ms / 1000 < 8 * 86400) {
                        assert_int_equal(got->due_ms / 1000, expected_s);
                }
                assert_int_equal(got->hold == HOLD_NOTHING, got->due_ms == h->now_ms);
        }
}

static void check_one(const struct rules *r, const struct happening *h)
{
        struct decision d = decide(r, h);
        bool outside = false;

        for (int channel = CHANNEL_PUSH; channel < CHANNEL_COUNT; channel++) {
                outside = outside || wished(r, h->type, channel) != DELIVERY_OFF;
        }
        bool listed = wished(r, h->type, CHANNEL_IN_APP) != DELIVERY_OFF;

        if (h->thread_muted || stopped_by(r, h, FILTER_DROP) || (!listed && !outside)) {
                assert_int_equal(d.box, BOX_NOWHERE);
        } else if (stopped_by(r, h, FILTER_REQUEST)) {
                assert_int_equal(d.box, listed ? BOX_REQUESTS : BOX_NOWHERE);
                for (int channel = 0; channel < CHANNEL_COUNT; channel++) {
                        assert_false(d.channels[channel].told);
                }
        } else {
                assert_int_equal(d.box, listed ? BOX_INBOX : BOX_UNLISTED);
                for (int channel = 0; channel < CHANNEL_COUNT; channel++) {
                        check_channel(r, h, &d, channel);
                }
        }
}

static void a_hundred_thousand_events_are_decided_as_the_reference_does(void **state)
{
        for (int member = 0; member < 10000; member++) {
                struct rules r = any_rules();

                for (int i = 0; i < 10; i++) {
                        struct happening h = {.type = (enum notification_type)random_rules(TYPE_COUNT),
                                              .is_followed = random_rules(2),
                                              .is_follower = random_rules(2),
                                              .is_new = random_rules(2),
                                              .is_private = random_rules(4) == 0,
                                              .thread_muted = random_rules(10) == 0,
                                              .now_ms = NOON_MS + random_rules(366 * 24 * 60) * INT64_C(60000) +
                                                        random_rules(60000)};

                        check_one(&r, &h);
                }
        }
}

/* ---- The model of release: preferences, quiet hours, digests and budgets over several days ---- */

enum { MOMENTS = 24, EVENTS = 100000 };

struct sending {
        struct happening h;
        struct channel_decision decision;
        enum hold hold;
        int64_t due_ms, sent_ms; /* sent_ms 0: not yet */
};

/* Like the queue: handles the earliest due delivery first, until all are sent. */
static void send_all(const struct rules *r, struct sending *s, size_t n)
{
        int64_t day = INT64_MIN, spent = 0;

        for (;;) {
                struct sending *next = NULL;

                for (size_t i = 0; i < n; i++) {
                        if (s[i].sent_ms == 0 && (next == NULL || s[i].due_ms < next->due_ms)) {
                                next = &s[i];
                        }
                }
                if (next == NULL) {
                        return;
                }
                int64_t now_ms = next->due_ms, today = budget_day(r, now_ms);
                struct release release = release_of(r, next->h.type, next->hold, false, now_ms);
                bool goes = release.due_ms == now_ms;

                if (goes && release.pays) {
                        spent = today == day ? spent : 0;
                        day = today;
                        goes = spent < r->daily_budget;
                        spent += goes;
                        release = release_over_budget(r, next->h.type, now_ms);
                }
                next->sent_ms = goes ? now_ms : 0;
                next->hold = goes ? next->hold : release.hold;
                next->due_ms = goes ? now_ms : release.due_ms;
                assert_true(goes || next->due_ms > now_ms);
        }
}

static bool is_counted(const struct rules *r, const struct sending *s, enum channel channel)
{
        return wished(r, s->h.type, channel) == DELIVERY_IMMEDIATE &&
               told_at(r, &s->h, DELIVERY_IMMEDIATE) * 1000 <= s->h.now_ms && !is_security_type(s->h.type) &&
               ((r->loud >> s->h.type) & 1) == 0;
}

/* Walks back to the start of the budget's day. */
static int64_t day_began(const struct rules *r, int64_t now_ms)
{
        int64_t at_s = now_ms / 1000 / 900 * 900;

        while (!is_digest_hour(r, DELIVERY_DAILY, at_s)) {
                at_s -= 900;
        }
        return at_s;
}

/* Counts the immediate deliveries before it since its day began, without those over the budget. */
static int64_t expected_ms(const struct rules *r, const struct sending *s, size_t i, enum channel channel)
{
        int64_t counted = 0;

        if (!is_counted(r, &s[i], channel) || r->daily_budget == 0) {
                int64_t at_s = told_at(r, &s[i].h, wished(r, s[i].h.type, channel));

                return at_s == s[i].h.now_ms / 1000 ? s[i].h.now_ms : at_s * 1000;
        }
        for (size_t k = 0; k < i; k++) {
                counted += is_counted(r, &s[k], channel) && day_began(r, s[k].h.now_ms) == day_began(r, s[i].h.now_ms);
        }
        return counted < r->daily_budget ? s[i].h.now_ms : told_at(r, &s[i].h, DELIVERY_DAILY) * 1000;
}

/* Random deliveries on a channel over a few days. */
static size_t any_sendings(const struct rules *r, enum channel channel, struct sending *s)
{
        int64_t now_ms = NOON_MS + random_rules(366 * 24 * 60) * INT64_C(60000);
        size_t n = 0;

        for (int i = 0; i < MOMENTS; i++) {
                now_ms += 1 + random_rules(random_rules(3) == 0 ? 600 : 120) * INT64_C(60000);
                struct happening h = {.type = (enum notification_type)random_rules(TYPE_COUNT),
                                      .is_followed = random_rules(2),
                                      .is_follower = random_rules(2),
                                      .is_new = random_rules(2),
                                      .is_private = random_rules(4) == 0,
                                      .now_ms = now_ms};
                struct decision d = decide(r, &h);

                if (d.channels[channel].told) {
                        s[n++] = (struct sending){.h = h,
                                                  .decision = d.channels[channel],
                                                  .hold = d.channels[channel].hold,
                                                  .due_ms = d.channels[channel].due_ms};
                }
        }
        return n;
}

static void deliveries_over_the_daily_budget_are_in_the_digest_at_its_end(void **state)
{
        int above = 0;

        for (int done = 0; done < EVENTS; done += MOMENTS) {
                enum channel channel = random_rules(2) == 0 ? CHANNEL_PUSH : CHANNEL_EMAIL;
                struct sending s[MOMENTS];
                struct rules r = any_rules();

                r.daily_budget = random_rules(5);
                for (int type = 0; random_rules(4) > 0 && type < TYPE_COUNT; type++) {
                        r.preferences[type][channel] = DELIVERY_IMMEDIATE;
                }
                size_t n = any_sendings(&r, channel, s);

                send_all(&r, s, n);
                for (size_t i = 0; i < n; i++) {
                        int64_t expected = expected_ms(&r, s, i, channel);

                        if (expected - s[i].h.now_ms < 8 * 24 * HOUR_MS) { /* as above: permanent quiet hours */
                                assert_int_equal(s[i].sent_ms, expected);
                        }
                        above += s[i].hold == HOLD_BUDGET;
                }
        }
        assert_true(above > EVENTS / 100);
}

int main(void)
{
        const struct CMUnitTest tests[] = {
            cmocka_unit_test(the_defaults_are_list_and_push),
            cmocka_unit_test(settings_turn_types_off_and_preferences_override_them),
            cmocka_unit_test(the_mail_setting_uses_each_types_default),
            cmocka_unit_test(the_strictest_filter_that_matches_counts),
            cmocka_unit_test(quiet_hours_hold_deliveries_but_not_the_list),
            cmocka_unit_test(security_cannot_be_turned_off_and_passes_quiet_hours),
            cmocka_unit_test(a_hundred_thousand_events_are_decided_as_the_reference_does),
            cmocka_unit_test(deliveries_over_the_daily_budget_are_in_the_digest_at_its_end),
        };

        return cmocka_run_group_tests(tests, NULL, NULL);
}
