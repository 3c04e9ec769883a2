/* Owns turning stored preferences into rules. */
#include "services/notification/rules.h"

#include <stdlib.h>
#include <string.h>
#include "services/notification/aggregation_rules.h"
#include "services/notification/store.h"
#include "services/user/user.rpc.h"

static void take_settings(struct rules *r, const User__Settings *s)
{
        const struct {
                enum told_setting setting;
                bool on;
        } given[] = {
            {SETTING_FOLLOWS, s->notifications->follows},   {SETTING_MENTIONS, s->notifications->mentions},
            {SETTING_COMMENTS, s->notifications->comments}, {SETTING_RENOTES, s->notifications->renotes},
            {SETTING_LIKES, s->notifications->likes},
        };

        for (size_t i = 0; i < sizeof(given) / sizeof(given[0]); i++) {
                r->settings_off |= given[i].on ? 0 : 1U << given[i].setting;
        }
        r->mailed = s->notifications->email;
        r->language = s->language;
        r->zone = zone_find(s->time_zone);
}

static void take_preference(struct rules *r, const NotificationRows__Preference *p)
{
        enum notification_type type;

        if (type_find(p->type, &type)) {
                r->preferences[type][CHANNEL_IN_APP] = (uint8_t)p->in_app;
                r->preferences[type][CHANNEL_PUSH] = (uint8_t)p->push;
                r->preferences[type][CHANNEL_EMAIL] = (uint8_t)p->email;
                r->preferences[type][CHANNEL_SMS] = (uint8_t)p->sms;
        }
}

static void take_windows(struct rules *r, const NotificationRows__Choices *choices)
{
        for (size_t i = 0; i < choices->n_quiet_days && i < QUIET_WINDOWS_MAX; i++) {
                r->quiet.windows[r->quiet.n++] = (struct quiet_window){.days = (int)choices->quiet_days[i],
                                                                       .from_m = (int)choices->quiet_from[i],
                                                                       .until_m = (int)choices->quiet_until[i]};
        }
        for (size_t i = 0; i < choices->n_loud; i++) {
                enum notification_type type;

                r->loud |= type_find(choices->loud[i], &type) ? 1U << type : 0;
        }
}

void rules_take_filters(struct rules *r, const NotificationRows__Choices *choices)
{
        r->filters[FILTER_NOT_FOLLOWED] = (uint8_t)choices->not_followed;
        r->filters[FILTER_NOT_FOLLOWING] = (uint8_t)choices->not_following;
        r->filters[FILTER_NEW_ACCOUNT] = (uint8_t)choices->new_account;
        r->filters[FILTER_PRIVATE_MENTION] = (uint8_t)choices->private_mention;
        r->digest_hour = choices->digest_hour;
        r->show_content = choices->show_content;
        r->daily_budget = choices->daily_budget;
}

static void take_choices(struct rules *r, const NotificationRows__Choices *choices)
{
        const struct zone *zone = choices->time_zone[0] != '\0' ? zone_find(choices->time_zone) : NULL;

        rules_take_filters(r, choices);
        r->zone = zone != NULL ? zone : r->zone;
        take_windows(r, choices);
}

static sn_status load_settings(struct rpc_call *c, char **ids, size_t n, struct rules *rules)
{
        User__BatchGetSettingsRequest in = USER__BATCH_GET_SETTINGS_REQUEST__INIT;
        User__SettingsList found = USER__SETTINGS_LIST__INIT;

        in.ids = ids;
        in.n_ids = n;
        TRY(user_batch_get_settings(c, &in, &found));
        if (found.n_items != n) {
                return rpc_fail(c, SN_INTERNAL, NULL, "the user service answered with the wrong number of settings");
        }
        for (size_t i = 0; i < n; i++) {
                take_settings(&rules[i], found.items[i]);
        }
        return SN_OK;
}

struct own {
        NotificationRows__Preference **preferences;
        NotificationRows__Choices **choices;
        size_t n_preferences, n_choices;
        const struct aggregation *aggregation;
};

static sn_status load_own(struct db_tx *tx, char **ids, size_t n, struct own *own)
{
        TRY(store_preferences(tx, ids, n, &own->n_preferences, &own->preferences));
        TRY(store_choices(tx, ids, n, &own->n_choices, &own->choices));
        return aggregation_load(tx, &own->aggregation);
}

static int compare_ids(const void *a, const void *b)
{
        return strcmp(*(char *const *)a, *(char *const *)b);
}

static struct rules *find_rules(struct rules *rules, char **ids, size_t n, const char *id)
{
        char *const *found = bsearch(&id, ids, n, sizeof(*ids), compare_ids);

        return found != NULL ? &rules[found - ids] : NULL;
}

sn_status rules_load(struct rpc_call *c, char **ids, size_t n, struct rules **out)
{
        struct rules *rules = ARENA_ARRAY(c->arena, struct rules, n), *of;
        struct own own = {.n_choices = 0};

        *out = rules;
        for (size_t i = 0; i < n; i++) {
                rules[i] = (struct rules){.digest_hour = DIGEST_HOUR, .show_content = true};
        }
        if (n == 0) {
                return SN_OK;
        }
        TRY(load_settings(c, ids, n, rules));
        TRY(DB_READ(c, tx, load_own(tx, ids, n, &own)));
        for (size_t i = 0; i < own.n_preferences; i++) {
                if ((of = find_rules(rules, ids, n, own.preferences[i]->user_id)) != NULL) {
                        take_preference(of, own.preferences[i]);
                }
        }
        for (size_t i = 0; i < own.n_choices; i++) {
                if ((of = find_rules(rules, ids, n, own.choices[i]->user_id)) != NULL) {
                        take_choices(of, own.choices[i]);
                }
        }
        for (size_t i = 0; i < n; i++) {
                rules[i].aggregation = own.aggregation;
                rules[i].zone = rules[i].zone != NULL ? rules[i].zone : zone_find("UTC");
                rules[i].quiet.zone = rules[i].zone;
        }
        return SN_OK;
}
